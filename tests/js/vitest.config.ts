import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.{ts,tsx}"],
    globalSetup: ["harness/checkPackage.ts"],
    // Programs that a test starts compete with everything else on the machine.
    testTimeout: 60_000,
  },
});
