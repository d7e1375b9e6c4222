import { describe, it } from "vitest";
import { useApp } from "./harness/app";

const STRICT = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "ES2020", "--lib", "ES2020,DOM"];

describe.each(["typescript-5", "typescript-7"] as const)("%s", (name) => {
  const app = useApp(name);

  it.each([
    ["node16", "node16", ["esm.mts", "commonJs.cts"]],
    ["nodenext", "nodenext", ["esm.mts", "commonJs.cts"]],
    ["esnext", "bundler", ["esm.mts", "commonJs.cts"]],
  ])(
    "checks with module %s and moduleResolution %s, and nothing newer than ES2020",
    async (module, resolution, files) => {
      const flags = ["--module", module, "--moduleResolution", resolution, "--types", "react", ...STRICT];
      await app.run("typescript/bin/tsc", [...flags, ...files]);
    },
  );
});
