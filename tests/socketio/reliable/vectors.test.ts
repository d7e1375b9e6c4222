import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Sqlite from "libsql";
import { Server } from "socket.io";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Everwire, everwire, sqlite } from "../../../servers/socketio/src/index";
import { pythonProgram, rootPath, workPath } from "../harness/paths";
import { startServer } from "../harness/process";
import { HANDLERS, TABLES } from "../servers/handlers";

interface Frame {
  readonly type?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly stream?: string;
  readonly [field: string]: unknown;
}

interface Step {
  readonly connect?: string;
  readonly client?: Frame;
  readonly text?: string;
  readonly server?: Frame;
  readonly lost?: boolean;
  readonly cut?: boolean;
  readonly restart?: boolean;
  readonly close?: number;
  readonly push?: { readonly type: string; readonly data: object };
  readonly forget?: { readonly stream: string; readonly upto: number };
}

interface Vector {
  readonly side?: "client" | "server";
  readonly steps: readonly Step[];
}

type Positions = Readonly<Record<string, number>>;

/** A server with the reliable mode over Socket.IO. */
interface Backend {
  /** Begins, also again on what it remembers. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly url: string;
  publish(user: string, type: string, data: object): Promise<unknown>;
  forget(user: string, stream: string, upto: number): Promise<unknown>;
}

/** npm `socket.io` with the middleware. */
class NodeBackend implements Backend {
  url = "";
  readonly #database = sqlite(new Sqlite(":memory:"));
  #server: Server | undefined;
  #wire: Everwire | undefined;

  async start(): Promise<void> {
    await this.#database.transaction(async (sql) => {
      for (const table of TABLES) await sql(table);
    });
    const http = createServer();
    const server = new Server(http);
    server.use((socket, next) => {
      socket.data.user = socket.handshake.auth["token"];
      next();
    });
    this.#wire = everwire({ database: this.#database, user: ({ data }) => String(data.user), handlers: HANDLERS });
    server.use(this.#wire);
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    this.#server = server;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#wire?.close();
    await this.#server?.close();
  }

  async publish(user: string, type: string, data: object): Promise<void> {
    await this.#wire?.transaction((_, publish) => publish(user, type, data));
  }

  async forget(...where: [user: string, stream: string, upto: number]): Promise<void> {
    const forget = "DELETE FROM everwire_events WHERE user_id = ? AND stream = ? AND position <= ?";
    await this.#database.transaction((sql) => sql(forget, ...where));
  }
}

/** python-socketio with the Python library. */
class PythonBackend implements Backend {
  url = "";
  readonly #database = workPath(`${randomUUID()}.db`);
  #process: ChildProcess | undefined;

  async start(): Promise<void> {
    const program = rootPath("tests/socketio/servers/reliable.py");
    const server = await startServer([pythonProgram(), program, "--database", this.#database]);
    [this.url, this.#process] = [server.origin, server.process];
  }

  async stop(): Promise<void> {
    if (!this.#process) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
    this.#process = undefined;
  }

  publish(user: string, type: string, data: object): Promise<unknown> {
    return this.#post("push", { user_id: user, type, data });
  }

  forget(user: string, stream: string, upto: number): Promise<unknown> {
    return this.#post("forget", { user_id: user, stream, upto });
  }

  async #post(endpoint: string, body: object): Promise<void> {
    const headers = { "content-type": "application/json", connection: "close" };
    const response = await fetch(`${this.url}/dev/${endpoint}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers,
    });
    expect(response.ok).toBe(true);
  }
}

/** The client's part of a conversation, each frame the argument of an event `everwire`. */
class Play {
  readonly #backend: Backend;
  /** So that servers may remember other conversations. */
  readonly #suffix = randomUUID();
  #user = "";
  #socket: Socket | undefined;
  #heard: Frame[] = [];
  #ended = "";
  #closedWith = 0;
  #acknowledged = 0;
  /** The streams of the last hello. Where others begin is the server's choice. */
  #named = new Set<string>();
  /** Where this server's streams begin. In the conversations they begin at 0. */
  readonly #beginnings = new Map<string, number>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#step(step);
    const beside = this.#heard.filter(({ type }) => type !== "ack" && type !== "pong");
    expect(beside, "nothing comes that the conversation does not have").toEqual([]);
    this.#socket?.disconnect();
  }

  async #step(step: Step): Promise<void> {
    if (step.connect !== undefined) await this.#connect(step.connect);
    else if (step.client && !step.lost) this.#socket?.emit("everwire", this.#outgoing(step.client));
    else if (step.server) await this.#hears(step.server, step.lost === true);
    else if (step.close !== undefined) {
      await expect.poll(() => this.#closedWith).toBe(step.close);
      // python-socketio says goodbye and leaves it to the client to go.
      await expect.poll(() => this.#ended).not.toBe("");
    } else if (step.cut) this.#socket?.io.engine.close();
    else if (step.restart) {
      this.#socket?.disconnect();
      await this.#backend.stop();
      await this.#backend.start();
    } else if (step.push) await this.#backend.publish(this.#user, step.push.type, step.push.data);
    else if (step.forget) {
      const { stream, upto } = step.forget;
      await this.#backend.forget(this.#user, stream, upto + (this.#beginnings.get(stream) ?? 0));
    }
  }

  async #connect(user: string): Promise<void> {
    this.#socket?.disconnect();
    const name = `${user}-${this.#suffix}`;
    [this.#user, this.#heard, this.#ended, this.#closedWith, this.#acknowledged] = [name, [], "", 0, 0];
    const socket = io(this.#backend.url, {
      forceNew: true,
      reconnection: false,
      transports: ["websocket"],
      auth: { token: name },
    });
    socket.on("everwire", (frame: Frame) => {
      // Who is in a session, and the user's own messages for other devices, are not in the conversations.
      const isBeside = frame.type === "session_members" || frame["client_id"] !== undefined;
      if (socket === this.#socket && !isBeside) this.#heard.push(frame);
    });
    socket.on("everwire_close", (code: number) => {
      if (socket === this.#socket) this.#closedWith = code;
    });
    socket.on("disconnect", (reason) => {
      if (socket === this.#socket) this.#ended = reason;
    });
    this.#socket = socket;
    await expect.poll(() => socket.connected).toBe(true);
  }

  /** A frame of the conversation in the numbers of this server. */
  #outgoing(frame: Frame): Frame {
    const streams = frame.data?.["streams"] as Positions | undefined;
    if (frame.type === "hello") this.#named = new Set(Object.keys(streams ?? {}));
    if (frame.type !== "hello" || typeof streams !== "object") return frame;
    const moved = Object.entries(streams).map(([name, at]) => [name, at + (this.#beginnings.get(name) ?? 0)]);
    return { ...frame, data: { ...frame.data, streams: Object.fromEntries(moved) } };
  }

  /** A frame of this server in the numbers of the conversation, without what is not compared. */
  #incoming({ timestamp: _, prev: __, ...frame }: Frame, expected: Frame): Frame {
    if (frame.type === "pong") return { type: "pong" };
    const unmentioned = ["message", "max_bytes", "remember_ms", "epoch", ...NAMES].filter(
      (field) => !(field in (expected.data ?? {})),
    );
    const kept = Object.entries(frame.data ?? {}).filter(([field]) => !unmentioned.includes(field));
    const data: Record<string, unknown> = Object.fromEntries(kept);
    if ("epoch" in data) data["epoch"] = expected.data?.["epoch"];
    const relative = (stream: string, offset: unknown) => Number(offset) - (this.#beginnings.get(stream) ?? 0);
    if (frame.type === "welcome") {
      const wanted = expected.data?.["streams"] as Positions;
      const carried = Object.entries(data["streams"] as Positions);
      for (const [name, at] of carried)
        if (!(this.#named.has(name) && this.#beginnings.has(name)))
          this.#beginnings.set(name, at - (wanted[name] ?? 0));
      data["streams"] = Object.fromEntries(carried.map(([name, at]) => [name, relative(name, at)]));
    }
    if (frame.type === "stream") data["offset"] = relative(String(data["stream"]), data["offset"]);
    return frame.stream === undefined
      ? { ...frame, data }
      : { ...frame, data, offset: relative(frame.stream, frame["offset"]) };
  }

  async #hears(expected: Frame, isLost: boolean): Promise<void> {
    if (expected.type === "ack" && Number(expected.data?.["seq"]) <= this.#acknowledged) return;
    // Acknowledgements that a later one covers may be there or not.
    const isOlder = ({ type, data }: Frame) => type === "ack" && Number(data?.["seq"]) < Number(expected.data?.["seq"]);
    const at = () => this.#heard.findIndex((frame) => frame.type === expected.type && !isOlder(frame));
    await expect.poll(at, { message: JSON.stringify(expected) }).toBeGreaterThanOrEqual(0);
    const [got] = this.#heard.splice(at(), 1);
    const frame = this.#incoming(got as Frame, expected);
    if (frame.type === "ack") this.#acknowledged = Number(frame.data?.["seq"]);
    if (!isLost) expect(frame).toEqual(expected);
  }
}

/** What an error may name beside its code. */
const NAMES = ["session_id", "match_id", "message_id"];

const vectors = readdirSync(rootPath("docs/vectors"), { withFileTypes: true })
  .filter((file) => file.isFile() && file.name.endsWith(".json"))
  .map(({ name }) => [name.replace(".json", ""), read(name)] as const)
  // What is no JSON does not come by an event of Socket.IO.
  .filter(([, { side, steps }]) => side !== "client" && steps.every(({ text }) => text === undefined));

function read(file: string): Vector {
  return JSON.parse(readFileSync(rootPath(`docs/vectors/${file}`), "utf8"));
}

it("there are conversations to play", () => {
  expect(vectors.length).toBeGreaterThan(15);
});

describe.each([
  ["npm", () => new NodeBackend()],
  ["Python", () => new PythonBackend()],
] as const)("the middleware for %s", (_, makeBackend) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = makeBackend();
    await backend.start();
  });
  afterAll(() => backend.stop());

  it.each(vectors)("%s", async (_, { steps }) => {
    await new Play(backend).play(steps);
  });
});
