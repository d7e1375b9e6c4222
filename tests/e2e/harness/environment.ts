import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { env } from "node:process";

/** The reference server's program. */
export function serverProgram(): string {
  return required("EVERWIRE_SERVER_BIN", "the reference server's program");
}

/** The program that is tested in the reference server's place, if there is one, and the arguments that come before the flags. */
export function testedCommand(): readonly [program: string, ...first: string[]] {
  const [program, ...first] = (env["EVERWIRE_TEST_SERVER_COMMAND"] ?? "").split(" ").filter((word) => word !== "");
  return program === undefined ? [serverProgram()] : [program, ...first];
}

/** Whether the reference server itself is tested, which does some things that the protocol leaves to a server. */
export const isReference = (): boolean => (env["EVERWIRE_TEST_SERVER_COMMAND"] ?? "") === "";

/** The folder with the built demo page. */
export function builtPage(): string {
  return required("EVERWIRE_WWW", "the folder with the built demo page");
}

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

function required(variable: string, meaning: string): string {
  const path = env[variable];
  const remedy = "`cargo xtask test e2e` builds everything and sets it.";
  if (path === undefined || path === "") throw new Error(`${variable} is not set: it names ${meaning}. ${remedy}`);
  if (!existsSync(path)) throw new Error(`${variable} names ${path}, which does not exist. ${remedy}`);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
