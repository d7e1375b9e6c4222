import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server } from "../harness/server";
import { configuration } from "./harness/configuration";
import { handshake } from "./harness/handshake";
import { NameServer } from "./harness/nameServer";
import { ReverseProxy } from "./harness/reverseProxy";

// What Docker does is done by hand here: each container has an address of its own, and the name server says which there are.
describe("docs/deploy/nginx.compose.conf", () => {
  let directory: string;
  let names: NameServer;
  let server: Server;
  let port: number;
  let proxy: ReverseProxy;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "everwire-"));
    names = await NameServer.start();
    server = await Server.start(["--host", "127.0.0.21"]);
    port = Number(new URL(server.origin).port);
    proxy = await ReverseProxy.start("nginx of compose.yaml", directory, [], {
      changes: { "resolver 127.0.0.11": `resolver ${names.host}`, "everwire:8787": `everwire:${port}` },
    });
  });

  afterAll(async () => {
    await proxy?.stop();
    names?.stop();
    await server?.kill();
    await rm(directory, { recursive: true });
  });

  const status = async (): Promise<number | undefined> => {
    const token = await server.token("ada");
    return handshake(proxy.origin, `/api/ws?token=${token}`, { ca: proxy.certificate.pem });
  };

  it("starts before there is a server, and finds it when there is one", async () => {
    expect(await status()).toBe(502);
    names.addresses = ["127.0.0.21"];
    expect(await status()).toBe(101);
  });

  it("finds a server again that was made anew at another address", async () => {
    await server.drain();
    server = await Server.start(["--host", "127.0.0.22"], port);
    names.addresses = ["127.0.0.22"];
    await expect.poll(status).toBe(101);
  });

  it("tries the other address when nobody listens at one", async () => {
    names.addresses = ["127.0.0.23", "127.0.0.22"];
    const both = `127.0.0.23:${port}, 127.0.0.22:${port} 502, 101`;
    while (!proxy.logs().includes(both)) expect(await status()).toBe(101);
  });

  it("is nginx.conf, but for where servers and logs are", () => {
    const own = configuration("nginx.compose.conf", {
      "        set $everwire http://everwire:8787;\n": "",
      "proxy_pass $everwire;": "proxy_pass http://everwire;",
      "/dev/stdout": "/var/log/nginx/everwire.log",
      "/dev/stderr": "/var/log/nginx/everwire.error.log",
    });
    const fromMapOn = (text: string) => text.slice(text.indexOf("map $http_upgrade"));
    expect(fromMapOn(own)).toBe(fromMapOn(configuration("nginx.conf", {})));
  });
});
