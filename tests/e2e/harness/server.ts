import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { artefact } from "./artefact";
import { builtPage, serverProgram } from "./environment";

/** The reference server as a process that can die and come back on the same port. */
export class Server {
  readonly origin: string;
  #process: Process;

  private constructor(origin: string, process: Process) {
    this.origin = origin;
    this.#process = process;
  }

  static async start(): Promise<Server> {
    const { origin, process } = await spawnServer(0);
    return new Server(origin, process);
  }

  /** Ends the process without a chance to say goodbye, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }

  async restart(): Promise<void> {
    await this.kill();
    const { process } = await spawnServer(Number(new URL(this.origin).port));
    this.#process = process;
  }

  /** The payloads that a user's connections have sent to this process, in order of arrival. */
  async received<T>(userId: string, type: string): Promise<T[]> {
    const query = new URLSearchParams({ user_id: userId, type });
    const response = await fetch(`${this.origin}/dev/received?${query}`);
    if (!response.ok) throw new Error(`/dev/received answered ${response.status}`);
    const frames = (await response.json()) as { data: T }[];
    return frames.map((frame) => frame.data);
  }
}

type Process = ChildProcessByStdio<null, Readable, Readable>;

async function spawnServer(port: number): Promise<{ origin: string; process: Process }> {
  const flags = ["--dev", "--port", String(port), "--www", builtPage(), "--rate-limit-per-minute", "0"];
  // Tokens have to outlive a restart, as they do in production.
  const secret = ["--secret", "a secret for tests, known to everyone"];
  const child = spawn(serverProgram(), [...flags, ...secret], { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.pipe(createWriteStream(artefact("server.log"), { flags: "a" }));
  process.once("exit", () => child.kill("SIGKILL"));

  const origin = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`the server ended with code ${code} before it was ready; its log is target/e2e/server.log`)),
    );
    createInterface({ input: child.stdout }).on("line", (line) => {
      const ready = /^ready (http:\/\/\S+?)\/?$/.exec(line)?.[1];
      if (ready !== undefined) resolve(ready);
    });
  });
  return { origin, process: child };
}
