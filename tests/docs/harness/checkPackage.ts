import { existsSync } from "node:fs";
import { rootPath } from "./paths";

/** Says once that the package is not built, before any test starts. */
export function setup(): void {
  if (!existsSync(rootPath("pkg/dist/index.d.ts"))) {
    throw new Error("pkg/dist is missing. `cargo xtask test docs` builds the package first.");
  }
}
