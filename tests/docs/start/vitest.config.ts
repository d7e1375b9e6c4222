import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts"],
    globalSetup: ["../harness/checkPackage.ts"],
    // Packages are fetched and installed.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
