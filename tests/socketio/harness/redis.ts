import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { env } from "node:process";
import { createInterface } from "node:readline";
import { freePort } from "./freePort";

/** A Redis of the tests' own, which keeps nothing. */
export class Redis {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  static async start(): Promise<Redis> {
    const port = await freePort();
    const flags = ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no"];
    const child = spawn(env["REDIS_SERVER"] || "redis-server", flags, { stdio: ["ignore", "pipe", "inherit"] });
    process.once("exit", () => child.kill("SIGKILL"));
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`Redis ended with code ${code} before it was ready`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line.includes("Ready to accept connections")) resolve();
      });
    });
    return new Redis(`redis://127.0.0.1:${port}`, child);
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}
