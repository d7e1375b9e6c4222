import { execFile } from "node:child_process";

export interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** Runs a program to its end. A status other than 0 is an outcome, not an exception. */
export function run(
  file: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = { cwd, maxBuffer: 1 << 24, env: { ...process.env, ...env } };
    execFile(file, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : error.code;
      if (typeof status === "number") resolve({ status, output: stdout + stderr });
      else reject(error);
    });
  });
}
