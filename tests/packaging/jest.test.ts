import { describe, expect, it } from "vitest";
import { useApp } from "./harness/app";
import { startEchoServer } from "./harness/echoServer";

describe("jest-30", () => {
  const app = useApp("jest-30");

  it("runs tests in Node and in jsdom, without any transformation of the package", async () => {
    const variables = { SERVER_PORT: String(await startEchoServer()) };
    expect(await app.run("jest/bin/jest.js", ["--rootDir", "."], variables)).toMatch(/Tests:\s+3 passed/);
  });
});
