import { copyFile } from "node:fs/promises";
import { build } from "esbuild";

await make("page", "common", ["main"], "index.html");
await make("workers", "common/workers", ["main", "dedicated", "shared"], "index.html");
await make("service", "common/workers", ["serviceMain", "service"], "service.html");
await build({ entryPoints: ["copies.mjs"], bundle: true, format: "esm", outdir: "dist" });

async function make(name, from, entries, page) {
  const to = `dist/${name}`;
  const entryPoints = entries.map((entry) => `${from}/${entry}.js`);
  await build({ entryPoints, bundle: true, format: "esm", minify: true, outdir: to });
  await copyFile(`${from}/${page}`, `${to}/index.html`);
  // Slim looks for its module beside the script.
  await copyFile("node_modules/everwire/dist/everwire_bg.wasm", `${to}/everwire_bg.wasm`);
}
