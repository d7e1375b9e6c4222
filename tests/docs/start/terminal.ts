import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A shell that remembers its directory and variables from one block of commands to the next, as a person's terminal does. */
export class Terminal {
  readonly #shell: ChildProcess;
  #output = "";
  #unread = 0;
  #commands = 0;
  #hear = (): void => {};

  constructor(directory: string) {
    // A process group of its own, so that what runs in it can be interrupted.
    this.#shell = spawn("bash", {
      cwd: directory,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      // What a person answers when npm asks whether it may fetch the program.
      env: { ...process.env, npm_config_yes: "true" },
    });
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
        this.#output += text.replaceAll(/\x1b\[[0-9;]*m/g, "");
        this.#hear();
      });
    }
    // Ctrl-C ends what runs, and not the shell.
    this.#type("trap : INT");
  }

  /** Types commands, and waits until they have ended well. */
  async run(commands: string): Promise<void> {
    const end = `[end ${++this.#commands}] `;
    this.#type(`{ ${commands.trim().replaceAll("\n", " && ")}; } </dev/null; echo "${end}$?"`);
    const status = await this.#rest(end);
    if (status !== "0") throw new Error(`\`${commands.trim()}\` failed with ${status}:\n${this.#output}`);
  }

  /** Types a command that goes on for ever, and waits until it prints a text. Returns the line that it is on. */
  async start(command: string, until: string): Promise<string> {
    this.#type(`${command.trim()} </dev/null || echo "it has failed"`);
    return this.#rest(until, "it has failed");
  }

  /** What Ctrl-C does; waits until the shell listens again. */
  async interrupt(): Promise<void> {
    this.#signal("SIGINT");
    await this.run("true");
  }

  async close(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return;
    const gone = once(this.#shell, "exit");
    this.#signal("SIGKILL");
    await gone;
  }

  #type(line: string): void {
    this.#shell.stdin?.write(`${line}\n`);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#shell.pid !== undefined) process.kill(-this.#shell.pid, signal);
  }

  /** The rest of the line that has a text, once it is printed. What was printed before that has been read then. */
  #rest(text: string, failure?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why}:\n${this.#output}`));
      this.#hear = () => {
        const begin = this.#output.indexOf(text, this.#unread);
        const end = this.#output.indexOf("\n", begin);
        if (begin >= 0 && end >= 0) {
          this.#unread = end;
          resolve(this.#output.slice(begin + text.length, end).trim());
        } else if (failure !== undefined && this.#output.includes(failure, this.#unread)) {
          fail(failure);
        }
      };
      this.#shell.once("exit", () => fail("the shell has ended"));
      this.#hear();
    });
  }
}
