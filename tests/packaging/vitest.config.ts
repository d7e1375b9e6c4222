import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts"],
    globalSetup: ["harness/pack.ts"],
    // Bundlers take every core there is; side by side they would only make each other late.
    fileParallelism: false,
    testTimeout: 300_000,
    // A first installation downloads a whole toolchain.
    hookTimeout: 600_000,
    reporters: ["verbose"],
    // The progress of installations is for whoever waits.
    disableConsoleIntercept: true,
    expect: { poll: { timeout: 30_000, interval: 50 } },
  },
});
