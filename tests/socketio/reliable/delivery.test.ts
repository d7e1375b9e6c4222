import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { NativeSocketClient } from "everwire";
import { overSocketIo } from "everwire/socket.io";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FaultProxy } from "../../e2e/harness/faultProxy";
import { serverBundle } from "../harness/bundle";
import { record, since, tally, upTo } from "../harness/figures";
import { pythonProgram, rootPath, workPath } from "../harness/paths";
import { Postgres } from "../harness/postgres";
import { startServer } from "../harness/process";

describe.each(["npm, SQLite", "npm, PostgreSQL", "Python, SQLite"])("the middleware for %s", (name) => {
  let postgres: Postgres | undefined;
  let command: string[] = [];
  let server: { origin: string; process: ChildProcess } | undefined;
  let proxy: FaultProxy | undefined;
  const clients: NativeSocketClient[] = [];
  const file = workPath(`reliable-${randomUUID()}.db`);

  beforeAll(async () => {
    postgres = name === "npm, PostgreSQL" ? await Postgres.start() : undefined;
    const python = [pythonProgram(), rootPath("tests/socketio/servers/reliable.py")];
    const program = name === "Python, SQLite" ? python : ["node", serverBundle("reliable")];
    command = [...program, "--database", postgres?.url ?? file];
    server = await startServer(command);
    proxy = await FaultProxy.start(server.origin);
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.dispose();
  });

  afterAll(async () => {
    proxy?.stop();
    await kill();
    await postgres?.stop();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
  });

  async function kill(): Promise<void> {
    if (!server || server.process.signalCode !== null) return;
    const exited = once(server.process, "exit");
    server.process.kill("SIGKILL");
    await exited;
  }

  async function revive(): Promise<void> {
    await kill();
    server = await startServer([...command, "--port", new URL(server?.origin ?? "").port]);
  }

  async function control(what: string, query: Record<string, string>): Promise<number[]> {
    const response = await fetch(`${server?.origin}/control/${what}?${new URLSearchParams(query)}`, {
      headers: { connection: "close" },
    });
    return (await response.json()) as number[];
  }

  /** A client in the reliable mode, with the numbers of the events that it is given. */
  async function connect(user: string) {
    const client = new NativeSocketClient({
      url: proxy?.origin,
      token: user,
      delivery: "reliable",
      WebSocket: overSocketIo({ reliable: true }),
      reconnect: { initialDelayMs: 20, maxDelayMs: 100, maxAttempts: Number.POSITIVE_INFINITY },
    });
    clients.push(client);
    const heard: Record<string, number[]> = { noted: [], notification: [], gap: [] };
    for (const event of ["noted", "notification"]) {
      client.on(event, (data) => heard[event]?.push(Number((data as { n: number }).n)));
    }
    client.on("gap", () => heard["gap"]?.push(1));
    client.connect();
    await expect.poll(() => client.getSnapshot().phase).toBe("open");
    expect(client.getSnapshot().delivery).toBe("reliable");
    return { client, heard };
  }

  it("processes 1 000 messages once and in order over 50 drops, and tells each event once", async () => {
    const user = randomUUID();
    const { client, heard } = await connect(user);
    await proxy?.rule({ fault: "latency", ms: 5 });
    const started = performance.now();
    let closes = 0;
    client.on("close", () => closes++);
    for (let drop = 1; drop <= 50; drop++) {
      await expect.poll(() => client.getSnapshot().phase).toBe("open");
      for (let n = 20 * drop - 19; n <= 20 * drop; n++) client.send("note", { n });
      const enough = 20 * drop - 15;
      await expect.poll(() => heard["noted"]?.length, { interval: 2 }).toBeGreaterThan(enough - 5);
      await proxy?.rule({ fault: "reset" });
      await expect.poll(() => closes).toBeGreaterThanOrEqual(drop);
    }
    await expect.poll(() => heard["noted"]?.length).toBe(1_000);
    await proxy?.heal();
    const processed = await control("notes", { user });
    expect(processed).toEqual(upTo(1_000));
    expect(heard).toEqual({ noted: upTo(1_000), notification: [], gap: [] });
    const figures = tally(upTo(1_000), processed);
    const where = { client: "everwire", server: `the middleware for ${name}`, place: "Node" };
    record({ scenario: "50 drops, reliable", ...where, ...figures, reported: 0, seconds: since(started) });
  });

  it("loses nothing that was acknowledged when the server is killed", async () => {
    const user = randomUUID();
    const { client, heard } = await connect(user);
    for (let life = 1; life <= 3; life++) {
      for (let n = 100 * life - 99; n <= 100 * life; n++) client.send("note", { n });
      await expect.poll(() => heard["noted"]?.length, { interval: 2 }).toBeGreaterThan(100 * life - 90);
      await kill();
      await control("push", { user, first: "1", last: "1" }).catch(() => {});
      await revive();
    }
    await expect.poll(() => heard["noted"]?.length).toBe(300);
    expect(await control("notes", { user })).toEqual(upTo(300));
    expect(heard["noted"]).toEqual(upTo(300));
  });

  it("gives events of an absence when the client is back, and answers requests once", async () => {
    const user = randomUUID();
    const { client, heard } = await connect(user);
    await control("push", { user, first: "1", last: "5" });
    await expect.poll(() => heard["notification"]).toEqual(upTo(5));
    await proxy?.rule({ fault: "refuse" });
    await proxy?.rule({ fault: "reset" });
    await expect.poll(() => client.getSnapshot().phase).not.toBe("open");
    const answer = client.request("echo", { n: 7 });
    await control("push", { user, first: "6", last: "300" });
    await proxy?.heal();
    expect(await answer).toEqual({ n: 7 });
    await expect.poll(() => heard["notification"]?.length).toBe(300);
    expect(heard).toEqual({ noted: [], notification: upTo(300), gap: [] });
    await expect(client.request("unknown", {})).rejects.toMatchObject({ code: "refused" });
  });
});
