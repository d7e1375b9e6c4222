import { readdirSync, readFileSync } from "node:fs";
import { TestServer } from "everwire/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { rootPath } from "./harness/paths";

interface Frame {
  readonly type?: string;
  readonly data?: Record<string, unknown>;
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
  readonly push?: { readonly stream: string; readonly type: string; readonly data: Record<string, unknown> };
  readonly forget?: { readonly stream: string; readonly upto: number };
  readonly app?: object;
}

interface Vector {
  readonly about: string;
  readonly side?: "client" | "server";
  readonly steps: readonly Step[];
}

/** Plays the client's part against the server in memory, by a bare WebSocket, as tests/server plays it against the reference server. */
class Play {
  readonly #server = new TestServer({ dialect: "masterx" });
  readonly #steps: Step[];
  #user = "";
  #socket: WebSocket | undefined;
  #heard: Frame[] = [];
  #closedWith: number | undefined;
  #acknowledged = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = [...steps];
  }

  async play(): Promise<void> {
    for (let step = this.#steps.shift(); step; step = this.#steps.shift()) {
      await this.#step(step);
      await this.#settled();
    }
    this.#heard = this.#heard.filter(({ type, data }) => type !== "ack" || Number(data?.["seq"]) > this.#acknowledged);
    expect(this.#heard, "nothing comes that the conversation does not have").toEqual([]);
  }

  async #step(step: Step): Promise<void> {
    if (step.connect) await this.#connect(step.connect);
    else if (step.client && !step.lost) this.#socket?.send(JSON.stringify(step.client));
    else if (step.text) this.#socket?.send(step.text);
    else if (step.server) this.#hears(step.server);
    else if (step.cut) this.#server.connections[0]?.drop();
    else if (step.restart) this.#server.faults.restart();
    else if (step.close) expect(this.#closedWith).toBe(step.close);
    else if (step.push) this.#server.emit(step.push.type, step.push.data, { to: this.#user });
    else if (step.forget) this.#server.forgetEvents(this.#user, step.forget.upto);
  }

  async #connect(user: string): Promise<void> {
    this.#user = user;
    this.#heard = [];
    this.#acknowledged = 0;
    this.#closedWith = undefined;
    const socket = new this.#server.WebSocket(`ws://test/api/ws?token=${user}`);
    socket.onmessage = ({ data }) => this.#heard.push(JSON.parse(data));
    socket.onclose = ({ code }) => {
      this.#closedWith = code;
    };
    this.#socket = socket;
    await this.#settled();
    expect(socket.readyState).toBe(socket.OPEN);
  }

  #hears(expected: Frame): void {
    for (;;) {
      if (expected.type === "ack" && Number(expected.data?.["seq"]) <= this.#acknowledged) return;
      const got = this.#heard.shift();
      if (got === undefined) throw new Error(`nothing came where ${JSON.stringify(expected)} was expected`);
      if (got["client_id"] !== undefined || got.type === "session_members") continue;
      if (got.type === "ack") {
        this.#acknowledged = Number(got.data?.["seq"]);
        expect(expected.type === "ack" || this.#acknowledged <= this.#lastAck()).toBe(true);
        continue;
      }
      expect(comparable(got, expected)).toEqual(expected);
      return;
    }
  }

  /** The highest acknowledgement that is still expected on this connection. */
  #lastAck(): number {
    const end = this.#steps.findIndex(({ connect }) => connect);
    const here = this.#steps.slice(0, end < 0 ? undefined : end);
    return Math.max(0, ...here.map(({ server }) => (server?.type === "ack" ? Number(server.data?.["seq"]) : 0)));
  }

  /** The mistakes of these clients are on purpose. */
  async #settled(): Promise<void> {
    await this.#server.settled().catch(() => {});
    this.#heard = this.#heard.filter(({ type, client_id }) => type !== "session_members" && client_id === undefined);
  }
}

/** What an error may name beside its code. */
const NAMES = ["session_id", "match_id", "message_id"];

/** Without what is not compared: timestamps, names in errors, words for people, and limits that the conversation does not mention. */
function comparable({ timestamp: _, ...got }: Frame, expected: Frame): Frame {
  if (got.type === "pong") return { type: "pong" };
  const unmentioned = ["message", "max_bytes", "remember_ms", ...NAMES].filter(
    (field) => expected.data?.[field] === undefined,
  );
  const data = Object.entries(got.data ?? {}).filter(
    ([field, value]) => !unmentioned.includes(field) || typeof value === "object",
  );
  return { ...got, data: Object.fromEntries(data) };
}

const vectors = readdirSync(rootPath("docs/vectors"), { withFileTypes: true })
  .filter((file) => file.isFile() && file.name.endsWith(".json"))
  .map(({ name }) => [name.replace(".json", ""), read(name)] as const)
  .filter(([, { side }]) => side !== "client");

function read(file: string): Vector {
  return JSON.parse(readFileSync(rootPath(`docs/vectors/${file}`), "utf8"));
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("there are conversations to play", () => {
  expect(vectors.length).toBeGreaterThan(15);
});

it.each(vectors)("%s", async (_name, { steps }) => {
  await new Play(steps).play();
});
