import { ConfigError, EverwireError, NativeSocketClient, type Options } from "everwire";
import { describe, expect, it } from "vitest";
import { useStandIns } from "./harness/clients";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const TOKEN = "a string, or a function that returns a string, null, or a promise of either";
const PROTOCOLS = /^the name of a subprotocol, .* different ones$/;
const SESSIONS = /^`\{ join, leave\?, key }`/;
const PING = 'a string that is not empty, and "ping" with `delivery: "reliable"`';

const LONGEST = 2 ** 31 - 1;
const MOST = 2 ** 32 - 2;
const NEVER = Number.POSITIVE_INFINITY;

const NUMBERS: [field: string, bounds: number[], wrong: number[], right: number[]][] = [
  ["reconnect.initialDelayMs", [1, LONGEST], [0, -1, 1.5, LONGEST + 1, NEVER], [1, 5_000]],
  ["reconnect.maxDelayMs", [1, LONGEST], [0, LONGEST + 1], [5_000, LONGEST]],
  ["reconnect.factor", [1, 100], [0.99, 101], [1, 1.5, 100]],
  ["reconnect.jitter", [0, 1], [-0.1, 1.1], [0, 0.5, 1]],
  ["reconnect.maxAttempts", [0, MOST, NEVER], [-1, 2.5], [0, 5, NEVER]],
  ["reconnect.stableAfterMs", [0, LONGEST], [-1, LONGEST + 1], [0, 1]],
  ["heartbeat.intervalMs", [1, LONGEST, NEVER], [0, LONGEST + 1], [1, NEVER]],
  ["heartbeat.timeoutMs", [1, LONGEST], [0, NEVER], [1]],
  ["connectTimeoutMs", [1, LONGEST], [0, LONGEST + 1], [1, 10_000]],
  ["queue.maxMessages", [0, MOST], [-1, 1.5, NEVER], [0, 10]],
  ["queue.maxBytes", [0, MOST], [-1, 1.5], [0, 10]],
  ["queue.ttlMs", [1, LONGEST, NEVER], [0, LONGEST + 1], [1, NEVER]],
  ["maxMessageBytes", [1, MOST], [0, -1, 0.5], [1, 10_240]],
  ["buffer.highBytes", [1, MOST], [0, -1, 1.5, NEVER], [65_536, 1_000_000]],
  ["buffer.lowBytes", [0, MOST], [-1, 1.5, NEVER], [0, 262_144]],
];

function problem(options: unknown): unknown {
  try {
    new NativeSocketClient(options as Options);
  } catch (thrown) {
    return thrown;
  }
  throw new Error("the options were accepted");
}

function withField(field: string, value: unknown): object {
  const [group = "", name] = field.split(".");
  return { [group]: name === undefined ? value : { [name]: value } };
}

function expectConfigError(thrown: unknown, field: string, expected: string | RegExp): void {
  expect(thrown).toBeInstanceOf(ConfigError);
  expect(thrown).toBeInstanceOf(EverwireError);
  expect(thrown).toBeInstanceOf(Error);
  const error = thrown as ConfigError;
  expect(error.name).toBe("ConfigError");
  expect(error.code).toBe("invalid_option");
  expect(error.field).toBe(field);
  expect(error.expected).toMatch(expected);
  expect(error.message).toBe(`\`${field}\` must be ${error.expected}`);
}

describe.each(NUMBERS)("%s", (field, bounds, wrong, right) => {
  const expected = new RegExp(bounds.map((bound) => `\\b${bound}\\b`).join(".*"));

  it.each(wrong)("refuses %d and says what it accepts", (value) => {
    expectConfigError(problem(withField(field, value)), field, expected);
  });

  it.each(["1", null, true, Number.NaN, {}, 1n])("refuses %o, which is no number", (value) => {
    expectConfigError(problem(withField(field, value)), field, expected);
  });

  it.each(right)("accepts %d", (value) => {
    expect(() => new NativeSocketClient(withField(field, value))).not.toThrow();
  });

  it("takes `undefined` for its default", () => {
    expect(() => new NativeSocketClient(withField(field, undefined))).not.toThrow();
  });
});

it.each<[field: string, value: unknown, expected: string | RegExp]>([
  ["url", 5, "a string"],
  ["url", new URL("http://server.test"), "a string"],
  ["path", null, "a string"],
  ["token", 5, TOKEN],
  ["token", null, TOKEN],
  ["WebSocket", null, "a class of WebSockets"],
  ["WebSocket", "ws", "a class of WebSockets"],
  ["tokenParam", "", "a string that is not empty"],
  ["tokenParam", 5, "a string that is not empty"],
  ["authEvent", "", "a string that is not empty"],
  ["tokenIn", "header", '"query", "first-message" or "subprotocol"'],
  ["tokenIn", null, '"query", "first-message" or "subprotocol"'],
  ["chat", {}, "made by `chat()` of `everwire/session`"],
  ["chat", "masterx", "made by `chat()` of `everwire/session`"],
  ["protocols", "", PROTOCOLS],
  ["protocols", "two words", PROTOCOLS],
  ["protocols", ["chat", 5], PROTOCOLS],
  ["protocols", ["chat", "chat"], PROTOCOLS],
  ["protocols", null, PROTOCOLS],
  ...[5, null, "join_room", {}, { join: "join_room" }, { key: "room_id" }, { join: "", key: "room_id" }].map(
    (rule): [string, unknown, RegExp] => ["sessions", rule, SESSIONS],
  ),
  ["sessions", [{ join: "join_room", key: "room_id" }, null], SESSIONS],
  ["sessions", { join: "join_room", leave: "", key: "room_id" }, SESSIONS],
  ["sessions", { join: "join_room", leave: 5, key: "room_id" }, SESSIONS],
  ["sessions", { join: "join_room", leave: "join_room", key: "room_id" }, SESSIONS],
  ["sessions", { join: "join_room", key: "" }, SESSIONS],
  ["heartbeat.ping", "", PING],
  ["heartbeat.pong", 5, /^a string that is not empty, and "pong"/],
  ["anonymous", "yes", "true or false"],
  ["anonymous", null, "true or false"],
  ["reconnect", 5, "an object"],
  ["reconnect", null, "an object"],
  ["heartbeat", true, "an object"],
  ["queue", "drop-oldest", "an object"],
  ["logger", "console", "an object"],
  ["logger", null, "an object"],
  ["buffer", 5, "an object"],
  ["outbox", 5, "an object"],
  ["outbox", null, "an object"],
  ["outbox", {}, 'used with `delivery: "reliable"`'],
  ["delivery", "exactly-once", '"at-most-once" or "reliable"'],
  ["delivery", null, '"at-most-once" or "reliable"'],
  ["delivery", true, '"at-most-once" or "reliable"'],
  ["queue.overflow", "drop", '"drop-oldest", "drop-newest" or "reject"'],
  ["queue.overflow", null, '"drop-oldest", "drop-newest" or "reject"'],
])("%s refuses %o", (field, value, expected) => {
  expectConfigError(problem(withField(field, value)), field, expected);
});

it.each([5, "http://server.test", null, true])("the options themselves cannot be %o", (options) => {
  expectConfigError(problem(options), "options", "an object");
});

it("the longest delay cannot be shorter than the first", () => {
  const thrown = problem({ reconnect: { initialDelayMs: 2_000, maxDelayMs: 1_000 } });
  expect(thrown).toBeInstanceOf(ConfigError);
  expect(thrown).toMatchObject({ field: "reconnect.maxDelayMs", message: expect.stringContaining("initialDelayMs") });
});

it("the buffer's low mark cannot be above its high one, also where one of them is the default", () => {
  for (const buffer of [{ highBytes: 10, lowBytes: 11 }, { highBytes: 10 }, { lowBytes: 262_145 }]) {
    expectConfigError(problem({ buffer }), "buffer.lowBytes", "at most `buffer.highBytes`");
  }
});

it("in the reliable mode, whose protocol names them, ping and pong have no other names", () => {
  expectConfigError(problem({ delivery: "reliable", heartbeat: { ping: "are_you_there" } }), "heartbeat.ping", PING);
  expect(problem({ delivery: "reliable", heartbeat: { pong: "here" } })).toMatchObject({ field: "heartbeat.pong" });
  const usual = { ping: "ping", pong: "pong" };
  expect(() => new NativeSocketClient({ delivery: "reliable", heartbeat: usual })).not.toThrow();
});

it.each(["at-most-once", "reliable"] as const)("the delivery may be %s", (delivery) => {
  expect(new NativeSocketClient({ delivery }).getSnapshot().delivery).toBe(delivery === "reliable" ? null : delivery);
});

it.each(["drop-oldest", "drop-newest", "reject"] as const)("the queue's overflow may be %s", (overflow) => {
  expect(() => new NativeSocketClient({ queue: { overflow } })).not.toThrow();
});

it("making a client, with options or without, connects to nothing", () => {
  new NativeSocketClient();
  new NativeSocketClient({ url: "http://server.test", token: "secret", reconnect: {}, heartbeat: {}, queue: {} });
  expect(StandInSocket.made).toEqual([]);
});

it("a refused option leaves no error in the way of the next client", () => {
  problem({ connectTimeoutMs: 0 });
  expect(new NativeSocketClient({ connectTimeoutMs: 1 }).getState()).toBe("closed");
});
