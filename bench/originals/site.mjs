import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Bundles the page into a folder that the server can serve, so that it talks to its own origin as an application does. */
export async function buildSite() {
  const folder = await mkdtemp(join(tmpdir(), "everwire-bench-"));
  const source = (name) => fileURLToPath(new URL(name, import.meta.url));
  await build({
    entryPoints: { page: source("page.mjs"), index: source("page.html") },
    loader: { ".html": "copy" },
    outdir: folder,
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
    // The one of the package leads from what is built to its sources.
    tsconfigRaw: {},
  });
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
