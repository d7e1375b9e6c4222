import { build } from "esbuild";
import { rootPath, workPath } from "./paths";

/** Bundles what runs outside of the test runner: servers on Node, and the lab for pages. */
export async function bundleAll(): Promise<void> {
  const common = { bundle: true, format: "esm", logLevel: "warning" } as const;
  await Promise.all([
    build({
      ...common,
      entryPoints: ["node", "reliable"].map((name) => rootPath(`tests/socketio/servers/${name}.ts`)),
      outdir: workPath("servers"),
      outExtension: { ".js": ".mjs" },
      platform: "node",
      packages: "external",
      target: "node20",
    }),
    build({
      ...common,
      entryPoints: [rootPath("tests/socketio/lab/page.ts")],
      outfile: pageBundle(),
      platform: "browser",
      target: "es2022",
    }),
  ]);
}

export const serverBundle = (name: "node" | "reliable"): string => workPath(`servers/${name}.mjs`);
export const pageBundle = (): string => workPath("page.js");
