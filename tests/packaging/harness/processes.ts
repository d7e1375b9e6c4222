import { type ChildProcess, spawn } from "node:child_process";
import { env, execPath, platform } from "node:process";

/** How npm is started; on Windows it is a script. */
export const npm: readonly string[] = platform === "win32" ? ["cmd", "/c", "npm"] : ["npm"];

/** Runs a program to its end and returns what it printed. */
export async function run(
  command: readonly string[],
  directory: string,
  variables: Variables = {},
  limitMs = LIMIT_MS,
): Promise<string> {
  const program = new Program(command, directory, variables);
  const timer = setTimeout(() => program.stop(), limitMs);
  const status = await program.exit;
  clearTimeout(timer);
  if (status !== 0) throw new Error(`\`${command.join(" ")}\` ended with ${status}:\n${program.output.slice(-8_000)}`);
  return program.output;
}

export type Variables = Readonly<Record<string, string>>;

/** A program that runs until it is stopped, such as a development server. */
export class Program {
  output = "";
  readonly exit: Promise<number | string>;
  readonly #process: ChildProcess;
  readonly #command: string;

  constructor(command: readonly string[], directory: string, variables: Variables = {}) {
    const [file, ...args] = command;
    this.#command = command.join(" ");
    this.#process = spawn(file === "node" || file === undefined ? execPath : file, args, {
      cwd: directory,
      env: { ...inherited(), ...QUIET, ...variables },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that what it has started ends with it.
      detached: platform !== "win32",
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (data) => {
        this.output += String(data);
      });
    }
    this.exit = new Promise((resolve) => {
      this.#process.on("error", (error) => {
        this.output += error.message;
        resolve(error.message);
      });
      this.#process.on("close", (code, signal) => resolve(code ?? signal ?? "no status"));
    });
  }

  /** The first match in what it prints; an error if it ends before. */
  async prints(pattern: RegExp): Promise<RegExpMatchArray> {
    let ended: number | string | undefined;
    this.exit.then((status) => {
      ended = status;
    });
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are told colours with it
      const match = this.output.replaceAll(/\u001b\[[\d;]*m/g, "").match(pattern);
      if (match) return match;
      if (ended !== undefined || Date.now() > deadline) {
        throw new Error(
          `\`${this.#command}\` did not print ${pattern} (status ${ended}):\n${this.output.slice(-8_000)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      if (platform === "win32") this.#process.kill();
      else process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.exit;
  }
}

/** Vitest's own settings are not those of the programs under test. */
function inherited(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(NODE_ENV|TEST|VITEST.*|NODE_OPTIONS)$/.test(name)),
  );
}

/** Less than a test may take, so that nothing is left running when it fails. */
const LIMIT_MS = 280_000;
const QUIET = {
  NEXT_TELEMETRY_DISABLED: "1",
  PARCEL_DISABLE_TELEMETRY: "1",
  BROWSERSLIST_IGNORE_OLD_DATA: "1",
  NO_COLOR: "1",
  CI: "1",
};
