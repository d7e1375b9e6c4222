import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server } from "../harness/server";

// No test builds the image: what it runs is tried here.
describe("docs/deploy/Dockerfile", () => {
  const file = readFileSync(fileURLToPath(new URL("../../../docs/deploy/Dockerfile", import.meta.url)), "utf8");
  let server: Server;

  beforeAll(async () => {
    server = await Server.start([]);
  });

  afterAll(() => server?.kill());

  const isHealthy = (): boolean => {
    const [, list] = /^HEALTHCHECK .*? CMD (\[.*\])$/m.exec(file) ?? [];
    const [program, ...flags] = JSON.parse(String(list)) as string[];
    const { host } = new URL(server.origin);
    const here = flags.map((flag) => flag.replace("127.0.0.1/8787", host.replace(":", "/")));
    return spawnSync(String(program), here).status === 0;
  };

  it("asks the server for its health", async () => {
    expect(isHealthy()).toBe(true);
    await server.kill();
    expect(isHealthy()).toBe(false);
  });
});
