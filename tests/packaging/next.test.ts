import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS } from "./harness/browser";
import { startEchoServer } from "./harness/echoServer";

describe("next-16", () => {
  const app = useApp("next-16");

  it.each([
    ["Turbopack", []],
    ["webpack", ["--webpack"]],
  ])("a provider in the layout works after a build with %s", async (_, flags) => {
    await app.run("next/dist/bin/next", ["build", ...flags]);
    await expectPage("start", "production");
  });

  it("a provider in the layout works while an application is developed", () => expectPage("dev", "development"));

  async function expectPage(command: string, build: "development" | "production"): Promise<void> {
    const port = await startEchoServer();
    const flags = [command, "--hostname", "127.0.0.1", "--port", "0"];
    const address = await app.serve("next/dist/bin/next", flags, { SERVER_PORT: String(port) });
    await expectMessages(address, PARTS, { build, port });
  }
});
