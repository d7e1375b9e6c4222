import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Entry } from "../servers/ledger";
import { serverBundle } from "./bundle";
import { pythonProgram, rootPath, workPath } from "./paths";
import { startServer } from "./process";

export type ServerKind = "socket.io" | "socket.io with recovery" | "socket.io cluster" | "python-socketio";

export interface ServerOptions {
  readonly pingIntervalMs?: number;
  readonly pingTimeoutMs?: number;
  readonly redis?: string;
}

interface Question {
  readonly namespace?: string;
  readonly first?: number;
  readonly last?: number;
  readonly bytes?: number;
  readonly close?: boolean;
}

/** A Socket.IO server as a process that can die and come back on the same port. */
export class SocketIoServer {
  readonly kind: ServerKind;
  readonly origin: string;
  readonly #command: readonly string[];
  #process: ChildProcess;

  private constructor(kind: ServerKind, origin: string, command: readonly string[], process: ChildProcess) {
    this.kind = kind;
    this.origin = origin;
    this.#command = command;
    this.#process = process;
  }

  static async start(kind: ServerKind, options: ServerOptions = {}): Promise<SocketIoServer> {
    const { pingIntervalMs = 1_000, pingTimeoutMs = 1_000, redis } = options;
    const command = [
      ...(kind === "python-socketio"
        ? [pythonProgram(), rootPath("tests/socketio/servers/python.py")]
        : ["node", serverBundle("node")]),
      ...["--ledger", workPath(`${randomUUID()}.jsonl`)],
      ...["--ping-interval-ms", String(pingIntervalMs), "--ping-timeout-ms", String(pingTimeoutMs)],
      ...(kind === "socket.io with recovery" ? ["--recovery"] : []),
      ...(kind === "socket.io cluster" && redis !== undefined ? ["--recovery", "--redis", redis] : []),
    ];
    const { origin, process } = await startServer([...command, "--port", "0"]);
    return new SocketIoServer(kind, origin, command, process);
  }

  /** Ends the process without a chance to say goodbye, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }

  async revive(): Promise<void> {
    await this.kill();
    const { port } = new URL(this.origin);
    this.#process = (await startServer([...this.#command, "--port", port])).process;
  }

  /** What has arrived from a user over all lives of the server, in order. */
  async received(user: string, event?: string): Promise<number[]> {
    const entries = await this.ask<Entry[]>("received", user);
    return entries.filter((entry) => event === undefined || entry.event === event).map(({ n }) => n);
  }

  /** The names of what has arrived, in order. */
  async log(user: string): Promise<string[]> {
    return (await this.ask<Entry[]>("received", user)).map(({ event, n }) => `${event} ${n}`);
  }

  async push(user: string, first: number, last: number, bytes = 0, namespace = "/"): Promise<void> {
    await this.ask("push", user, { first, last, bytes, namespace });
  }

  async ask<Answer>(what: string, user: string, question: Question = {}): Promise<Answer> {
    const body = JSON.stringify({ user, ...question });
    const headers = { "content-type": "application/json", connection: "close" };
    const response = await fetch(`${this.origin}/control/${what}`, { method: "POST", body, headers });
    if (!response.ok) throw new Error(`${what}: the server answered ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}
