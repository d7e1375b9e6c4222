import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { rootPath, tarballPath, workPath } from "./environment";
import { npm, run } from "./processes";

/** Packs the package once, before any test starts. */
export async function setup(): Promise<void> {
  if (!existsSync(rootPath("pkg/dist/cjs/index.cjs"))) {
    throw new Error("The package is not built. `cargo xtask test packaging` builds it first.");
  }
  await mkdir(workPath(""), { recursive: true });
  const output = await run([...npm, "pack", "--json", "--silent", "--pack-destination", workPath("")], rootPath("pkg"));
  const [packed] = JSON.parse(output.slice(output.search(/^\[/m))) as { filename: string }[];
  if (packed === undefined) throw new Error(`npm packed nothing: ${output}`);
  await rename(workPath(packed.filename), tarballPath());
}
