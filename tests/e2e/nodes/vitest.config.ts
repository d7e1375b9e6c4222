import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts"],
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    reporters: ["verbose"],
    // The counts are lines of their own.
    disableConsoleIntercept: true,
    expect: { poll: { timeout: 30_000, interval: 50 } },
  },
});
