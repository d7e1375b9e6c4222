import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server } from "../harness/server";
import { client } from "./harness/client";

// As docs/deploy.md says it, with SQLite's own program.
describe("a backup of a database in use", () => {
  let directory: string;
  let database: string;
  let server: Server;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "everwire-"));
    database = join(directory, "everwire.sqlite");
    server = await Server.start(["--database", database]);
  });

  afterAll(async () => {
    await server?.kill();
    await rm(directory, { recursive: true });
  });

  it("has everything acknowledged, and clients go on from it in a new epoch", async () => {
    const options = { delivery: "reliable", reconnect: { initialDelayMs: 100, maxDelayMs: 200 } } as const;
    const ada = client(undefined, { url: server.origin, token: await server.token("ada"), ...options });
    const gaps: unknown[] = [];
    ada.on("gap", ({ stream, to }) => gaps.push({ stream, to }));
    ada.connect();
    const acknowledged = async (n: number) => {
      const message = ada.send("echo", { n });
      if (message.status === "refused") throw message.error;
      await message.done();
    };
    for (let n = 1; n <= 5; n++) await acknowledged(n);

    const backup = join(directory, "backup.sqlite");
    for (const command of commands(database, backup)) {
      const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
      expect(status, stderr).toBe(0);
      expect(stdout.trim()).toBe(command.includes("integrity_check") ? "ok" : "");
    }
    for (let n = 6; n <= 8; n++) await acknowledged(n);
    await server.kill();
    const unacknowledged = ada.request("echo", { n: 9 });

    for (const suffix of ["-wal", "-shm"]) await rm(database + suffix, { force: true });
    await copyFile(backup, database);
    const port = Number(new URL(server.origin).port);
    server = await Server.start(["--database", database, "--epoch", String(Date.now())], port);
    expect(await unacknowledged).toEqual({ n: 9 });
    expect(gaps).toContainEqual({ stream: "user", to: null });
    const processed = (await server.processed("ada")).map(({ data }) => data);
    expect(processed).toEqual([1, 2, 3, 4, 5, 9].map((n) => ({ n })));
    ada.dispose();
  });
});

/** The page's commands for SQLite, with the files of the test. */
function commands(database: string, backup: string): string[] {
  const page = readFileSync(fileURLToPath(new URL("../../../docs/deploy.md", import.meta.url)), "utf8");
  const lines = page.match(/^sqlite3 .*$/gm) ?? [];
  expect(lines.length).toBe(2);
  const program = process.env["SQLITE"] ?? "sqlite3";
  return lines.map((line) =>
    line
      .replace(/^sqlite3/, program)
      .replaceAll("/data/everwire.sqlite", database)
      .replaceAll("/backup/everwire.sqlite", backup),
  );
}
