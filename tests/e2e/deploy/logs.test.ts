import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { Server } from "../harness/server";
import { handshake } from "./harness/handshake";
import { type Kind, ReverseProxy } from "./harness/reverseProxy";

describe.each<Kind>(["nginx", "caddy"])("the logs of %s", (kind) => {
  let directory: string;
  let server: Server;
  let token: string;
  let proxy: ReverseProxy | undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "everwire-"));
    server = await Server.start([]);
    token = await server.token("ada");
  });

  afterEach(() => proxy?.stop());

  afterAll(async () => {
    await server?.kill();
    await rm(directory, { recursive: true });
  });

  const start = async (variation = {}): Promise<ReverseProxy> => {
    const home = await mkdtemp(join(directory, "proxy-"));
    proxy = await ReverseProxy.start(kind, home, [server, server], variation);
    return proxy;
  };

  /** Ends the proxy, so that all is written, and looks for the part of the token that is its user's. */
  const expectNoToken = async (whose: ReverseProxy): Promise<void> => {
    await whose.stop();
    expect(whose.logs()).toContain("/api/ws");
    expect(whose.logs()).not.toContain(token.split(".")[1]);
  };

  const ask = async (asked: ReturnType<typeof request>): Promise<number | undefined> => {
    const [answer] = await once(asked.end(), "response");
    answer.resume();
    return answer.statusCode;
  };

  it("have no token that a request has without TLS, which is sent to the other port", async () => {
    const { plainOrigin } = await start();
    const status = await ask(plainRequest(`${plainOrigin}/api/ws?token=${token}`));
    expect([301, 308]).toContain(status);
    // Larger than nginx takes, which it says in a log.
    const large = { method: "POST", headers: { "content-length": 9e9 } };
    const refused = plainRequest(`${plainOrigin}/api/ws?token=${token}`, large).on("error", () => {});
    refused.flushHeaders();
    const [answer] = await once(refused, "response");
    expect([308, 413]).toContain(answer.statusCode);
    refused.destroy();
    expect(await handshake(String(proxy?.origin), "/api/ws", { ca: proxy?.certificate.pem })).toBe(101);
    await expectNoToken(proxy as ReverseProxy);
  });

  it("have no token that is written otherwise, or is elsewhere", async () => {
    const { origin, certificate } = await start();
    const ca = certificate.pem;
    for (const query of [`Token=${token}`, `%74oken=${token}`, `a=1;token=${token}`, `a=%zz&token=${token}`])
      expect(await handshake(origin, `/api/ws?${query}`, { ca })).toBe(101);
    const headers = { referer: `${origin}/?token=${token}`, authorization: `Bearer ${token}` };
    expect(await ask(request(`${origin}/api/matches`, { ca, headers }))).toBe(200);
    expect(await ask(request(`${origin}/socket?token=${token}`, { ca }))).toBe(404);
    const socket = new WebSocket(`${origin}/api/ws`, ["everwire", token], { ca });
    await once(socket, "close").catch(() => {});
    await expectNoToken(proxy as ReverseProxy);
  });

  it.runIf(kind === "nginx")("have no token when there are more clients than connections", async () => {
    const { origin, certificate } = await start({ connections: 24 });
    const open: WebSocket[] = [];
    let refused: number | undefined;
    while (refused === undefined) {
      const socket = new WebSocket(`${origin}/api/ws?token=${token}&n=${randomUUID()}`, { ca: certificate.pem });
      open.push(socket);
      socket.on("error", () => {});
      refused = await new Promise((resolve) => {
        socket.once("open", () => resolve(undefined));
        socket.once("unexpected-response", (_, { statusCode }) => resolve(statusCode));
      });
    }
    expect(refused).toBe(500);
    for (const socket of open) socket.terminate();
    await expectNoToken(proxy as ReverseProxy);
  });
});
