import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { artefact } from "./artefact";
import { builtPage, testedCommand } from "./environment";

/** The reference server, or another with its flags and control endpoints, as a process that can die and come back on the same port. */
export class Server {
  readonly origin: string;
  readonly #flags: readonly string[];
  #process: Process;

  private constructor(origin: string, flags: readonly string[], process: Process) {
    this.origin = origin;
    this.#flags = flags;
    this.#process = process;
  }

  /** Starts it with the demo page, or with other flags instead, on a free port. */
  static async start(flags: readonly string[] = ["--www", builtPage()], port = 0): Promise<Server> {
    const { origin, process } = await spawnServer(port, flags);
    return new Server(origin, flags, process);
  }

  /** Ends the process without a chance to say goodbye, and waits until it is gone. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Asks it to end, as a supervisor does, and waits until it has. */
  drain(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill(signal);
    await exited;
  }

  async restart(): Promise<void> {
    await this.kill();
    const { process } = await spawnServer(Number(new URL(this.origin).port), this.#flags);
    this.#process = process;
  }

  /** The payloads that a user's connections have sent to this process, in order of arrival. */
  async received<T>(userId: string, type: string): Promise<T[]> {
    const frames = await this.ask<{ data: T }[]>("GET", "received", { user_id: userId, type });
    return frames.map((frame) => frame.data);
  }

  /** The messages with a number that this server, in all its lives, has processed for a user, in order. */
  processed(userId: string): Promise<Processed[]> {
    return this.ask("GET", "processed", { user_id: userId });
  }

  /** A token for anyone. */
  async token(userId: string): Promise<string> {
    const { token } = await this.ask<{ token: string }>("GET", "token", { user_id: userId });
    return token;
  }

  /** Makes an event for a user. */
  async push(userId: string, type: string, data: object): Promise<void> {
    await this.ask("POST", "push", { user_id: userId, type, data });
  }

  /** Asks a control endpoint. */
  async ask<Answer>(method: "GET" | "POST", endpoint: string, question: Record<string, unknown>): Promise<Answer> {
    const isGet = method === "GET";
    const query = isGet ? `?${new URLSearchParams(question as Record<string, string>)}` : "";
    const body = { body: JSON.stringify(question), headers: { "content-type": "application/json" } };
    const response = await fetch(`${this.origin}/dev/${endpoint}${query}`, { method, ...(isGet ? {} : body) });
    if (!response.ok) throw new Error(`/dev/${endpoint} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}

/** A message as `/dev/processed` shows it. */
export interface Processed {
  readonly client_id: string;
  readonly seq: number;
  readonly type: string;
  readonly data: {
    readonly content?: string;
    readonly session_id?: string;
    readonly message?: { readonly id: string };
  };
  readonly refused?: string;
}

const RATE_LIMIT = "--rate-limit-per-minute";

type Process = ChildProcessByStdio<null, Readable, Readable>;

async function spawnServer(port: number, more: readonly string[]): Promise<{ origin: string; process: Process }> {
  const limit = more.includes(RATE_LIMIT) ? [] : [RATE_LIMIT, "0"];
  const flags = ["--dev", "--port", String(port), ...limit, ...more];
  // Tokens have to outlive a restart, as they do in production.
  const secret = ["--secret", "a secret for tests, known to everyone"];
  const [program, ...first] = testedCommand();
  const child = spawn(program, [...first, ...flags, ...secret], { stdio: ["ignore", "pipe", "pipe"] });
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
