import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Server } from "../../harness/server";
import { type Certificate, makeCertificate } from "./certificate";
import { configuration } from "./configuration";
import { freePort } from "./freePort";

/** A reverse proxy with a configuration of `docs/deploy`, in front of two servers. */
export class ReverseProxy {
  /** What clients connect to. */
  readonly origin: string;
  readonly certificate: Certificate;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(origin: string, certificate: Certificate, directory: string, process: ChildProcess) {
    this.origin = origin;
    this.certificate = certificate;
    this.#directory = directory;
    this.#process = process;
  }

  /** `directory` is empty and ends with the test; `dropped` is a part of the configuration that is to be missing. */
  static async start(
    kind: Kind,
    directory: string,
    servers: readonly [Server, Server],
    dropped?: string,
  ): Promise<ReverseProxy> {
    const certificate = makeCertificate(directory);
    const logs = join(directory, "logs");
    mkdirSync(logs);
    const [port, otherPort] = [await freePort(), await freePort()];
    const [a, b] = servers.map(({ origin }) => new URL(origin).host);
    const missing = dropped === undefined ? {} : { [dropped]: "" };
    const addresses = { "127.0.0.1:8787": String(a), "127.0.0.1:8788": String(b), ...missing };
    const [program, ...flags] = KINDS[kind]({ directory, logs, certificate, addresses, port, otherPort });
    const home = { ...process.env, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
    const child = spawn(String(program), flags, { stdio: ["ignore", "pipe", "pipe"], env: home });
    process.once("exit", () => child.kill("SIGKILL"));
    const terminal = createWriteStream(join(logs, "terminal.log"));
    child.stdout.pipe(terminal, { end: false });
    child.stderr.pipe(terminal, { end: false });
    const proxy = new ReverseProxy(`https://localhost:${port}`, certificate, directory, child);
    await proxy.#untilItListens(port);
    return proxy;
  }

  /** Everything that it has written down or said. */
  logs(): string {
    const logs = join(this.#directory, "logs");
    return readdirSync(logs)
      .map((file) => readFileSync(join(logs, file), "utf8"))
      .join("\n");
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exited;
  }

  async #untilItListens(port: number): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await answers(port))) {
      const ended = this.#process.exitCode !== null;
      if (ended || Date.now() > deadline) throw new Error(`the proxy does not listen; it says:\n${this.logs()}`);
    }
  }
}

export type Kind = keyof typeof KINDS;

interface Circumstances {
  readonly directory: string;
  readonly logs: string;
  readonly certificate: Certificate;
  readonly addresses: Readonly<Record<string, string>>;
  readonly port: number;
  readonly otherPort: number;
}

const KINDS = {
  nginx({ directory, logs, certificate, addresses, port, otherPort }: Circumstances): readonly string[] {
    writeFileSync(
      join(directory, "everwire.conf"),
      configuration("nginx.conf", {
        ...addresses,
        "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
        "listen 80": `listen 127.0.0.1:${otherPort}`,
        "server_name example.com": "server_name localhost",
        "/etc/ssl/example.com.pem": certificate.file,
        "/etc/ssl/example.com.key": certificate.keyFile,
        "/var/log/nginx": logs,
        "75s": `${IDLE_S}s`,
      }),
    );
    // What Debian's own nginx.conf has around it.
    const bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${join(directory, name)};`,
    );
    const http = [`access_log ${join(logs, "access.log")};`, ...bodies, `include ${join(directory, "everwire.conf")};`];
    const main = ["daemon off;", `pid ${join(directory, "nginx.pid")};`, "events { worker_connections 1024; }"];
    const file = join(directory, "main.conf");
    writeFileSync(file, [...main, "http {", ...http, "}"].join("\n"));
    return [process.env["NGINX"] ?? "nginx", "-p", directory, "-e", join(logs, "error.log"), "-c", file];
  },

  caddy({ directory, logs, certificate, addresses, port }: Circumstances): readonly string[] {
    const file = join(directory, "Caddyfile");
    writeFileSync(
      file,
      configuration("Caddyfile", {
        ...addresses,
        // A test has a certificate of its own, and leaves the machine's ports and certificates alone.
        "{\n\t# What Caddy says": "{\n\tadmin off\n\tauto_https off\n\tskip_install_trust\n\t# What Caddy says",
        "example.com {": `https://localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${certificate.file} ${certificate.keyFile}`,
        "/var/log/caddy": logs,
      }),
    );
    return [process.env["CADDY"] ?? "caddy", "run", "--config", file, "--adapter", "caddyfile"];
  },
};

/** How long a silent connection lives in the test, in place of what the configuration says. */
export const IDLE_S = 2;

const START_LIMIT_MS = 20_000;

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => setTimeout(resolve, 20, false));
    socket.once("connect", () => socket.destroy());
  });
}
