import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { Server } from "../harness/server";
import { handshake as status } from "./harness/handshake";
import { ReverseProxy } from "./harness/reverseProxy";

// The table of docs/trouble.md: what each status of a handshake means.
describe("a handshake that fails is answered with", () => {
  let directory: string;
  let server: Server;
  const proxies: ReverseProxy[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "everwire-"));
    server = await Server.start(["--reject", "http", "--allow-origin", "https://example.com", ...FEW]);
  });

  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.stop();
  });

  afterAll(async () => {
    await server?.kill();
    await rm(directory, { recursive: true });
  });

  const behindNginx = async (changes = {}): Promise<ReverseProxy> => {
    const home = await mkdtemp(join(directory, "nginx-"));
    const proxy = await ReverseProxy.start("nginx", home, [server, server], { changes });
    proxies.push(proxy);
    return proxy;
  };

  it("400 where a proxy drops the upgrade, and 101 where it does not", async () => {
    const token = await server.token("ada");
    const [good, bad] = [
      await behindNginx(),
      await behindNginx({ "proxy_set_header Connection $connection_upgrade;": "" }),
    ];
    expect(await status(good.origin, `/api/ws?token=${token}`, { ca: good.certificate.pem })).toBe(101);
    expect(await status(bad.origin, `/api/ws?token=${token}`, { ca: bad.certificate.pem })).toBe(400);
  });

  it("403 for a wrong token, and for the page of somebody else", async () => {
    const token = await server.token("ada");
    expect(await status(server.origin, "/api/ws?token=wrong")).toBe(403);
    expect(await status(server.origin, `/api/ws?token=${token}`, { origin: "https://example.com" })).toBe(101);
    expect(await status(server.origin, `/api/ws?token=${token}`, { origin: "https://example.net" })).toBe(403);
  });

  it("404 on another path", async () => {
    expect(await status(server.origin, `/socket?token=${await server.token("ada")}`)).toBe(404);
  });

  it("429 for one connection of a user too many", async () => {
    const token = await server.token("ben");
    const open = new WebSocket(`${server.origin}/api/ws?token=${token}`);
    await new Promise((resolve) => open.once("open", resolve));
    expect(await status(server.origin, `/api/ws?token=${token}`)).toBe(429);
    open.close();
  });

  it("502 where the proxy reaches no server", async () => {
    const proxy = await behindNginx();
    const token = await server.token("ada");
    await server.kill();
    expect(await status(proxy.origin, `/api/ws?token=${token}`, { ca: proxy.certificate.pem })).toBe(502);
  });
});

const FEW = ["--max-connections-per-user", "1"];
