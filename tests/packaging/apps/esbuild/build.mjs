import { copyFile } from "node:fs/promises";
import { build } from "esbuild";

const [entry] = process.argv.slice(2);
await build({
  entryPoints: entry === "workers" ? ["main", "dedicated", "shared", "service"].map(worker) : ["shared/main.js"],
  bundle: true,
  format: "esm",
  minify: true,
  outdir: `dist/${entry}`,
});
await copyFile(entry === "workers" ? "shared/workers/index.html" : "shared/index.html", `dist/${entry}/index.html`);
// Slim looks for its module beside the script.
await copyFile("node_modules/everwire/dist/everwire_bg.wasm", `dist/${entry}/everwire_bg.wasm`);

function worker(name) {
  return `shared/workers/${name}.js`;
}
