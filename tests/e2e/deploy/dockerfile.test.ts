import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverProgram } from "../harness/environment";
import { Server } from "../harness/server";

// No test builds the image: what it runs is tried here.
describe("docs/deploy/Dockerfile", () => {
  const file = read("Dockerfile");
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

describe(".dockerignore", () => {
  it("leaves every member of the workspace to the build", () => {
    const root = (name: string) => readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), "utf8");
    const [, members] = /^members = (\[[^\]]*\])$/m.exec(root("Cargo.toml")) ?? [];
    const kept = root(".dockerignore")
      .split("\n")
      .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
    for (const member of JSON.parse(String(members)) as string[]) {
      expect(
        kept.some((path) => member === path || member.startsWith(`${path}/`)),
        member,
      ).toBe(true);
    }
  });
});

describe("docs/deploy/compose.yaml", () => {
  it("gives the server flags and variables that it has", () => {
    const file = read("compose.yaml");
    const help = spawnSync(serverProgram(), ["--help"], { encoding: "utf8" }).stdout;
    const commands = [...file.matchAll(/^ {4}command: (\["--node".*\])$/gm)].map(([, list]) =>
      JSON.parse(String(list)),
    );
    const names = [...commands.flat(), ...(file.match(/EVERWIRE_\w+(?=:)/g) ?? [])];
    const known = names.filter((name) => /^--|^EVERWIRE_/.test(name));
    expect(known.length).toBeGreaterThanOrEqual(6);
    for (const name of known) expect(help).toContain(name);
  });

  it("gives nginx its configuration, and the certificate where that looks for it", () => {
    const mounted = [...read("compose.yaml").matchAll(/^ {6}- \.\/(\S+):(\/\S+):ro$/gm)];
    const [configuration, certificates] = mounted.map(([, from, to]) => ({ from: String(from), to: String(to) }));
    const looked = read(String(configuration?.from)).match(/\/etc\/ssl\/\S+(?=;)/g);
    expect(looked?.length).toBe(2);
    for (const file of looked ?? []) expect(dirname(file)).toBe(certificates?.to);
  });
});

function read(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../docs/deploy/${name}`, import.meta.url)), "utf8");
}
