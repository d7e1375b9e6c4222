import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts"],
    globalSetup: ["harness/checkPackage.ts"],
    // Compilers that a test starts compete with everything else on the machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
