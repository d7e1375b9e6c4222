import { execFile } from "node:child_process";

export interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** Runs a program to its end. A status other than 0 is an outcome, not an exception. */
export function run(file: string, args: readonly string[], cwd?: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : error.code;
      if (typeof status === "number") resolve({ status, output: stdout + stderr });
      else reject(error);
    });
  });
}

/** Runs an ES module given as text in a Node of its own. */
export const runModule = (source: string, cwd: string, flags: readonly string[] = []): Promise<Outcome> =>
  run(process.execPath, [...flags, "--input-type=module", "--eval", source], cwd);
