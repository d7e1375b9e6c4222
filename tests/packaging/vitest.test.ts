import { describe, expect, it } from "vitest";
import { useApp } from "./harness/app";
import { startEchoServer } from "./harness/echoServer";

describe("vitest-4", () => {
  const app = useApp("vitest-4");

  it("runs tests in Node and in jsdom", async () => {
    const variables = { SERVER_PORT: String(await startEchoServer()) };
    expect(await app.run("vitest/vitest.mjs", ["run", "--root", "."], variables)).toMatch(/Tests\s+4 passed/);
  });
});
