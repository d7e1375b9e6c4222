import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Sqlite from "libsql";
import { Server } from "socket.io";
import { io, type Socket } from "socket.io-client";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Everwire, everwire, sqlite } from "../../../servers/socketio/src/index";
import { rootPath } from "../harness/paths";
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

/** A server with the middleware, and the client's part of a conversation, each frame the argument of an event `everwire`. */
class Play {
  readonly #database = sqlite(new Sqlite(":memory:"));
  #server: Server | undefined;
  #wire: Everwire | undefined;
  #url = "";
  #user = "";
  #socket: Socket | undefined;
  #heard: Frame[] = [];
  #ended = "";
  #closedWith = 0;
  #acknowledged = 0;
  /** Where this server's streams begin. In the conversations they begin at 0. */
  readonly #beginnings = new Map<string, number>();

  async play(steps: readonly Step[]): Promise<void> {
    await this.#database.transaction(async (sql) => {
      for (const table of TABLES) await sql(table);
    });
    await this.#start();
    for (const step of steps) await this.#step(step);
    const beside = this.#heard.filter(({ type }) => type !== "ack" && type !== "pong");
    expect(beside, "nothing comes that the conversation does not have").toEqual([]);
  }

  async #start(): Promise<void> {
    const http = createServer();
    const server = new Server(http);
    server.use((socket, next) => {
      socket.data.user = socket.handshake.auth["user"];
      next();
    });
    this.#wire = everwire({ database: this.#database, user: ({ data }) => String(data.user), handlers: HANDLERS });
    server.use(this.#wire);
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    this.#server = server;
    this.#url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#socket?.disconnect();
    this.#wire?.close();
    await this.#server?.close();
  }

  async #step(step: Step): Promise<void> {
    if (step.connect !== undefined) await this.#connect(step.connect);
    else if (step.client && !step.lost) this.#socket?.emit("everwire", this.#outgoing(step.client));
    else if (step.server) await this.#hears(step.server, step.lost === true);
    else if (step.close !== undefined) {
      await expect.poll(() => this.#ended).toBe("transport close");
      expect(this.#closedWith).toBe(step.close);
    } else if (step.cut) this.#socket?.io.engine.close();
    else if (step.restart) {
      await this.stop();
      await this.#start();
    } else if (step.push) {
      const { type, data } = step.push;
      await this.#wire?.transaction((_, publish) => publish(this.#user, type, data));
    } else if (step.forget) {
      const upto = step.forget.upto + (this.#beginnings.get(step.forget.stream) ?? 0);
      const forget = "DELETE FROM everwire_events WHERE user_id = ? AND stream = ? AND position <= ?";
      await this.#database.transaction((sql) => sql(forget, this.#user, step.forget?.stream, upto));
    }
  }

  async #connect(user: string): Promise<void> {
    this.#socket?.disconnect();
    [this.#user, this.#heard, this.#ended, this.#closedWith, this.#acknowledged] = [user, [], "", 0, 0];
    const socket = io(this.#url, { forceNew: true, reconnection: false, transports: ["websocket"], auth: { user } });
    socket.on("everwire", (frame: Frame) => socket === this.#socket && this.#heard.push(frame));
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
    if (frame.type !== "hello" || typeof streams !== "object") return frame;
    const moved = Object.entries(streams).map(([name, at]) => [name, at + (this.#beginnings.get(name) ?? 0)]);
    return { ...frame, data: { ...frame.data, streams: Object.fromEntries(moved) } };
  }

  /** A frame of this server in the numbers of the conversation, without what is not compared. */
  #incoming({ timestamp: _, prev: __, ...frame }: Frame, expected: Frame): Frame {
    if (frame.type === "pong") return { type: "pong" };
    const unmentioned = ["message", "max_bytes", "remember_ms", "epoch"].filter(
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
        if (!this.#beginnings.has(name)) this.#beginnings.set(name, at - (wanted[name] ?? 0));
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

const vectors = readdirSync(rootPath("docs/vectors"), { withFileTypes: true })
  .filter((file) => file.isFile() && file.name.endsWith(".json"))
  .map(({ name }) => [name.replace(".json", ""), read(name)] as const)
  // What is no JSON does not come by an event of Socket.IO.
  .filter(([, { side, steps }]) => side !== "client" && steps.every(({ text }) => text === undefined));

function read(file: string): Vector {
  return JSON.parse(readFileSync(rootPath(`docs/vectors/${file}`), "utf8"));
}

let play: Play;
beforeEach(() => {
  play = new Play();
});
afterEach(() => play.stop());

it("there are conversations to play", () => {
  expect(vectors.length).toBeGreaterThan(15);
});

it.each(vectors)("%s", async (_, { steps }) => {
  await play.play(steps);
});
