import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of a file that is kept for people to look at after a run. */
export function artefact(name: string): string {
  mkdirSync(FOLDER, { recursive: true });
  return join(FOLDER, name);
}

const FOLDER = fileURLToPath(new URL("../../../target/e2e", import.meta.url));
