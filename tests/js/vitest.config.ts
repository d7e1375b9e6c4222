import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const dist = fileURLToPath(new URL("../../pkg/dist", import.meta.url));
const DEVELOPMENT = "*.development.test.{ts,tsx}";

export default defineConfig({
  test: {
    globalSetup: ["harness/checkPackage.ts"],
    // Programs that a test starts compete with everything else on the machine.
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        // Left alone, Vitest takes the development build.
        resolve: {
          alias: [
            { find: /^everwire$/, replacement: `${dist}/index.js` },
            { find: /^everwire\/([a-z]+)$/, replacement: `${dist}/$1.js` },
          ],
        },
        test: { name: "production", include: ["*.test.{ts,tsx}"], exclude: [DEVELOPMENT] },
      },
      { extends: true, test: { name: "development", include: [DEVELOPMENT] } },
    ],
  },
});
