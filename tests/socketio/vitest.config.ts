import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts", "protocol/*.test.ts", "reliable/*.test.ts"],
    globalSetup: ["harness/setup.ts"],
    setupFiles: ["harness/webSocket.ts"],
    // Browsers and servers share one machine; side by side they would only make each other late.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: ["verbose"],
    // The figures are lines of their own.
    disableConsoleIntercept: true,
    expect: { poll: { timeout: 20_000, interval: 20 } },
  },
});
