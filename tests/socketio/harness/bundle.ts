import { build } from "esbuild";
import { rootPath, workPath } from "./paths";

/** Bundles what runs outside of the test runner: the Node server, and the lab for pages. */
export async function bundleAll(): Promise<void> {
  const common = { bundle: true, format: "esm", logLevel: "warning" } as const;
  await Promise.all([
    build({
      ...common,
      entryPoints: [rootPath("tests/socketio/servers/node.ts")],
      outfile: serverBundle(),
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

export const serverBundle = (): string => workPath("node.mjs");
export const pageBundle = (): string => workPath("page.js");
