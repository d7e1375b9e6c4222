import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";

/** A file of the checkout. */
export const rootPath = (file: string): string => join(import.meta.dirname, "../../..", file);

/** A file of a run: ledgers, bundles, figures. */
export function workPath(file: string): string {
  mkdirSync(WORK, { recursive: true });
  return join(WORK, file);
}

/** Forgets the files of the run before. */
export const clearWork = (): void => rmSync(WORK, { recursive: true, force: true });

const WORK = rootPath("target/socketio");

/** The Python of the project's environment. */
export const pythonProgram = (): string => env["EVERWIRE_PYTHON"] ?? rootPath("target/python-venv/bin/python");
