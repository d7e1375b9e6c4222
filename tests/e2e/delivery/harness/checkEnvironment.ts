import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromiumProgram, serverProgram } from "../../harness/environment";

/** Says what is missing once, before any test starts. */
export function setup(): void {
  serverProgram();
  chromiumProgram();
  for (const file of ["index.js", "durable.js"]) {
    if (existsSync(fileURLToPath(new URL(`../../../../pkg/dist/${file}`, import.meta.url)))) continue;
    throw new Error(`pkg/dist/${file} is missing. \`cargo xtask test delivery\` builds the package first.`);
  }
}
