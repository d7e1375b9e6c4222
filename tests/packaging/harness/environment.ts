import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";

/** A file of the checkout. */
export const rootPath = (file: string): string => fileURLToPath(new URL(`../../../${file}`, import.meta.url));

/** Where applications are installed, and stay between runs. */
export const workPath = (file: string): string => join(env["EVERWIRE_PACKAGING"] ?? rootPath("target/packaging"), file);

/** The packed package, as it would be published. */
export const tarballPath = (): string => workPath("everwire.tgz");

export function chromiumProgram(): string {
  const given = env["CHROMIUM"];
  if (given !== undefined && given !== "") return given;
  for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
    for (const folder of (env["PATH"] ?? "").split(delimiter)) {
      if (folder !== "" && isExecutable(join(folder, name))) return join(folder, name);
    }
  }
  throw new Error("No Chromium found in PATH. Install it, or name its program in the environment variable CHROMIUM.");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
