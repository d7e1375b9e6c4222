import { beforeAll, describe, expect, it } from "vitest";
import { useApp } from "./harness/app";
import { startEchoServer } from "./harness/echoServer";
import { tarballPath } from "./harness/environment";
import { npm, run } from "./harness/processes";

describe("node", () => {
  const app = useApp("node");
  const talk = async (script: string) => app.run(script, [String(await startEchoServer())]);

  beforeAll(async () => {
    // The one application that the package is installed into as users do it, instead of only unpacked.
    await run([...npm, "install", "--offline", "--no-save", "--no-audit", "--no-fund", tarballPath()], app.directory);
  });

  it("imports", async () => {
    expect(await talk("./import.mjs")).toBe("import was heard Ada is typing… function\n");
  });

  it("requires, and all entries share one copy", async () => {
    expect(await talk("./require.cjs")).toBe("require was heard Ada is typing… function true\n");
  });

  it("imports slim with the module's file read from disk", async () => {
    expect(await talk("./slim.mjs")).toBe("slim was heard\n");
  });

  it("survives a server that is not there, with `ws`", async () => {
    expect(await app.run("./refused.mjs")).toBe("gave up\n");
  });

  it("imports every entry, and requires every one but slim", async () => {
    expect(await app.run("./entries.cjs")).toBe("");
  });

  it("takes the development build where Node is told to", async () => {
    const script = `console.log(import.meta.resolve("everwire"))`;
    const flags = ["--conditions=development", "--input-type=module", "--eval", script];
    expect(await run(["node", ...flags], app.directory)).toMatch(/everwire\/dist\/development\/index\.js\n$/);
  });
});
