import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts", "protocol/*.test.ts", "reliable/*.test.ts"],
    globalSetup: ["harness/setup.ts"],
    setupFiles: ["harness/webSocket.ts"],
    // Scenarios mostly wait, for connections and for what never comes.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: ["verbose"],
    // The figures are lines of their own.
    disableConsoleIntercept: true,
    expect: { poll: { timeout: 20_000, interval: 20 } },
  },
});
