import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { env, getuid } from "node:process";
import pg from "pg";
import { freePort } from "./freePort";

/** A PostgreSQL of the tests' own, from the system's packages; its data ends with it. */
export class Postgres {
  readonly url: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(url: string, folder: string, process: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#process = process;
  }

  static async start(): Promise<Postgres> {
    const folder = mkdtempSync(join(tmpdir(), "everwire-postgres-"));
    const account = unprivileged();
    if (account) chownSync(folder, account.uid, account.gid);
    const data = join(folder, "data");
    const options = { ...account, cwd: folder, stdio: "ignore" } as const;
    execFileSync(join(binaries(), "initdb"), ["-D", data, "-U", "everwire", "-A", "trust", "--no-sync"], options);
    const port = await freePort();
    const settings = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
    const flags = settings.flatMap((setting) => ["-c", setting]);
    const child = spawn(join(binaries(), "postgres"), ["-D", data, ...flags], options);
    process.once("exit", () => child.kill("SIGKILL"));
    const url = `postgres://everwire@127.0.0.1:${port}/postgres`;
    await isReady(url);
    return new Postgres(url, folder, child);
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGQUIT");
    await exited;
    rmSync(this.#folder, { recursive: true });
  }
}

async function isReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const client = new pg.Client(url);
    const isThere = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => {});
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("PostgreSQL does not listen");
}

/** Where its programs are. */
function binaries(): string {
  const versions = "/usr/lib/postgresql";
  const installed = existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, "bin")) : [];
  const folder = [...installed, ...(env["PATH"] ?? "").split(delimiter)].find((place) =>
    existsSync(join(place, "initdb")),
  );
  if (folder === undefined) throw new Error("PostgreSQL is needed: `cargo xtask test socketio` installs it.");
  return folder;
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
