import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const dist = path("../../pkg/dist");
const react18 = path("../react18/node_modules");
const testingLibrary = path("../../node_modules/@testing-library/react/dist/@testing-library/react.esm.js");

const DEVELOPMENT = "*.development.test.{ts,tsx}";
/** What must be true with every version of React that the hooks are for. */
const REACT = ["hook.test.tsx", "react*.test.tsx", "serverRendering.test.tsx"];

// Left alone, Vitest takes the development build.
const production = [
  { find: /^everwire$/, replacement: `${dist}/index.js` },
  { find: /^everwire\/react\/slim$/, replacement: `${dist}/react-slim.js` },
  { find: /^everwire\/([a-z]+)$/, replacement: `${dist}/$1.js` },
];

export default defineConfig({
  test: {
    globalSetup: ["harness/checkPackage.ts"],
    // Programs that a test starts compete with everything else on the machine.
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        resolve: { alias: production },
        test: { name: "production", include: ["*.test.{ts,tsx}"], exclude: [DEVELOPMENT] },
      },
      {
        extends: true,
        resolve: {
          alias: [
            ...production,
            { find: /^(react|react-dom)(\/[a-z-]+)?$/, replacement: `${react18}/$1$2` },
            { find: "@testing-library/react", replacement: testingLibrary },
          ],
        },
        test: {
          name: "react 18",
          include: REACT,
          exclude: [DEVELOPMENT],
          server: { deps: { inline: [/@testing-library\/react/] } },
        },
      },
      { extends: true, test: { name: "development", include: [DEVELOPMENT] } },
    ],
  },
});
