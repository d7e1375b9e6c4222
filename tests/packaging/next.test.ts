import { describe, it } from "vitest";
import { useApp } from "./harness/app";
import { expectMessages, PARTS } from "./harness/browser";
import { startEchoServer } from "./harness/echoServer";

describe("next-16", () => {
  const app = useApp("next-16");

  it.each(["start", "dev"])("a provider in layout.tsx works with `next %s`", async (command) => {
    if (command === "start") await app.run("next/dist/bin/next", ["build"]);
    const port = await startEchoServer();
    const flags = [command, "--hostname", "127.0.0.1", "--port", "0"];
    await expectMessages(await app.serve("next/dist/bin/next", flags, { SERVER_PORT: String(port) }), PARTS, port);
  });
});
