import { existsSync } from "node:fs";
import { packagePath } from "./paths";

/** Says once that the package is not built, before any test starts. */
export function setup(): void {
  for (const file of [
    "index.js",
    "slim.js",
    "react.js",
    "react-slim.js",
    "durable.js",
    "session.js",
    "validate.js",
    "everwire_bg.wasm",
  ]) {
    if (!existsSync(packagePath(`dist/${file}`))) {
      throw new Error(`pkg/dist/${file} is missing. \`cargo xtask test js\` builds the package first.`);
    }
  }
}
