import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NativeSocketClient, Options } from "everwire";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Server } from "../harness/server";
import { client } from "./harness/client";
import { handshake } from "./harness/handshake";
import { IDLE_S, ReverseProxy } from "./harness/reverseProxy";

describe.each(["nginx", "caddy"] as const)("docs/deploy, %s", (kind) => {
  let directory: string;
  let audit: string;
  let servers: [Server, Server];
  let proxy: ReverseProxy;
  const clients: NativeSocketClient[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "everwire-"));
    audit = join(directory, "audit.jsonl");
    const flags = ["--database", join(directory, "server.sqlite"), "--audit", audit, "--trust-proxy"];
    servers = [await Server.start(flags), await Server.start(flags)];
    proxy = await ReverseProxy.start(kind, directory, servers);
  });

  afterEach(() => {
    for (const one of clients.splice(0)) one.dispose();
  });

  afterAll(async () => {
    await proxy?.stop();
    for (const server of servers ?? []) await server.kill();
    await rm(directory, { recursive: true });
  });

  const connect = async (more: Options): Promise<Connected> => {
    const user = `user-${randomUUID()}`;
    const token = await servers[0].token(user);
    const options = { url: proxy.origin, token, delivery: "reliable", ...more } as const;
    const one = client(proxy.certificate.pem, options);
    clients.push(one);
    const closes: number[] = [];
    one.on("close", ({ code }) => closes.push(code));
    one.connect();
    await expect.poll(() => one.getSnapshot().state).toBe("open");
    return { one, user, token, closes };
  };

  const status = (path: string, method = "GET"): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asked = request(`${proxy.origin}${path}`, { ca: proxy.certificate.pem, method }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on("error", reject).end();
    });

  it("carries messages in both directions", async () => {
    const { one, user } = await connect({});
    expect(one.getSnapshot().delivery).toBe("reliable");
    expect(await one.request("echo", { n: 1 })).toEqual({ n: 1 });
    const heard: unknown[] = [];
    one.on("notification", (data) => heard.push(data));
    await servers[1].push(user, "notification", { n: 2 });
    await expect.poll(() => heard).toEqual([{ n: 2 }]);
  });

  it("keeps a connection on which nothing happens but the heartbeat", async () => {
    const { one, closes } = await connect({ heartbeat: { intervalMs: 500, timeoutMs: 400 } });
    let pongs = 0;
    one.on("pong", () => pongs++);
    // Three times as long as a silent connection lives.
    await expect.poll(() => pongs).toBeGreaterThanOrEqual(6 * IDLE_S);
    expect(closes).toEqual([]);
  });

  it.runIf(kind === "nginx")("ends a connection without a heartbeat when it has been silent for too long", async () => {
    const { closes } = await connect({ heartbeat: { intervalMs: Number.POSITIVE_INFINITY } });
    await expect.poll(() => closes.length).toBeGreaterThan(0);
  });

  it("hides what is for operators", async () => {
    for (const path of ["/metrics", "/healthz", "/dev/token?user_id=ada"]) expect(await status(path)).toBe(404);
    expect(await status("/api/ws?token=none")).toBe(400);
  });

  it("hides what is for the application's own back end, and keeps what is for its users", async () => {
    const hidden = { nginx: 403, caddy: 404 }[kind];
    for (const path of ["/api/events", "/api//%65vents", "/api/matches", "/api/matches/m1/status"])
      expect(await status(path, "POST"), path).toBe(hidden);
    expect(await status("/api/matches")).toBe(401);
    expect(await status("/api/matches", "OPTIONS")).toBe(200);
  });

  it("tells the server a client's address, whatever the client says", async () => {
    const user = `user-${randomUUID()}`;
    const headers = { "x-forwarded-for": "192.0.2.1" };
    const path = `/api/ws?token=${await servers[0].token(user)}`;
    expect(await handshake(proxy.origin, path, { ca: proxy.certificate.pem, headers })).toBe(101);
    const entries = async () => (await readFile(audit, "utf8")).split("\n").filter((line) => line.includes(user));
    await expect.poll(entries).toContainEqual(expect.stringMatching(/"connect".*"peer":"127\.0\.0\.1"/));
  });

  it("moves clients from one server to the other and back while each is restarted, and loses nothing", async () => {
    const reconnect = { initialDelayMs: 100, maxDelayMs: 500 };
    const people = await Promise.all(Array.from({ length: 8 }, () => connect({ reconnect })));
    let sent = 0;
    const send = setInterval(() => {
      sent++;
      for (const { one } of people) one.send("echo", { n: sent });
    }, 20);
    for (const server of servers) {
      await server.drain();
      for (const { one } of people) await expect.poll(() => one.getSnapshot().state).toBe("open");
      await server.restart();
    }
    clearInterval(send);
    for (const { user, closes } of people) {
      // Each was on one of them, and found the other at its first attempt.
      expect(closes.length).toBeGreaterThan(0);
      expect(closes.every((code) => code === 1012)).toBe(true);
      await expect.poll(async () => (await servers[0].processed(user)).length).toBe(sent);
      const processed = await servers[0].processed(user);
      expect(processed.map(({ seq }) => seq)).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
    }
  });

  it("writes tokens into none of its logs, also when no server answers", async () => {
    const { one, token, closes } = await connect({ reconnect: { initialDelayMs: 100, maxDelayMs: 200 } });
    for (const server of servers) await server.kill();
    await expect.poll(() => closes.length).toBeGreaterThan(2);
    one.disconnect();
    await proxy.stop();
    const logs = proxy.logs();
    expect(logs.match(/\/api\/ws/g)?.length ?? 0).toBeGreaterThan(2);
    expect(logs).not.toContain(token);
    expect(logs).not.toContain(token.split(".")[1]);
  });
});

interface Connected {
  readonly one: NativeSocketClient;
  readonly user: string;
  readonly token: string;
  readonly closes: number[];
}
