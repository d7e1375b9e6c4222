import type { Options, SendOptions } from "everwire";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StandInSocket } from "./harness/standInSocket";

const warnings: string[] = [];

beforeEach(() => {
  // What was warned of is remembered by the module.
  vi.resetModules();
  vi.stubGlobal("WebSocket", StandInSocket);
  vi.spyOn(console, "warn").mockImplementation((text: string) => warnings.push(text));
});

afterEach(() => {
  warnings.length = 0;
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function make(options: object) {
  const { NativeSocketClient } = await import("everwire");
  return new NativeSocketClient(options as Options);
}

describe("an option that does not exist is named in development, with what may be meant:", () => {
  it.each<[options: object, path: string, meant: string]>([
    [{ reconnct: {} }, "reconnct", "reconnect"],
    [{ Url: "http://server.test" }, "Url", "url"],
    [{ connectTimeout: 5 }, "connectTimeout", "connectTimeoutMs"],
    [{ reconnect: { attempts: 5 } }, "reconnect.attempts", "reconnect.maxAttempts"],
    [{ reconnect: { initialDelay: 5 } }, "reconnect.initialDelay", "reconnect.initialDelayMs"],
    [{ reconnect: { maxDelaysMs: 5 } }, "reconnect.maxDelaysMs", "reconnect.maxDelayMs"],
    [{ heartbeat: { timeout: 5 } }, "heartbeat.timeout", "heartbeat.timeoutMs"],
    [{ queue: { ttl: 5 } }, "queue.ttl", "queue.ttlMs"],
    [{ buffer: { high: 5 } }, "buffer.high", "buffer.highBytes"],
    [{ maxAttempts: 5 }, "maxAttempts", "reconnect.maxAttempts"],
    [{ maxRetries: 5 }, "maxRetries", "reconnect.maxAttempts"],
    [{ reconnectionDelayMax: 5 }, "reconnectionDelayMax", "reconnect.maxDelayMs"],
    [{ websocket: StandInSocket }, "websocket", "WebSocket"],
    [{ schema: {} }, "schema", "schemas"],
  ])("%o", async (options, path, meant) => {
    await make(options);
    expect(warnings).toEqual([`everwire: there is no option \`${path}\`: did you mean \`${meant}\`?`]);
  });

  it.each<object>([{ transports: ["websocket"] }, { constructor: 5 }, { reconnect: { __proto: 5, toString: 5 } }])(
    "%o has no effect, and nothing is like it",
    async (options) => {
      await make(options);
      expect(warnings.length).toBeGreaterThan(0);
      for (const text of warnings) expect(text).toMatch(/^everwire: there is no option `[\w.]+`: it has no effect$/);
    },
  );

  it("once for each name, however many clients have it", async () => {
    for (let i = 0; i < 3; i++) await make({ reconnct: {}, queue: { size: 1 } });
    expect(warnings).toHaveLength(2);
  });

  it("in the options of a message as well", async () => {
    const client = await make({ url: "http://server.test" });
    client.send("note", {}, { ttl: 5 } as SendOptions);
    client.send("note", {}, { ttl: 5 } as SendOptions);
    await client.request("ask", {}, { timeout: 5 } as object).catch(() => {});
    expect(warnings).toEqual([
      "everwire: there is no option `ttl` of a message: did you mean `ttlMs`?",
      "everwire: there is no option `timeout` of a message: did you mean `timeoutMs`?",
    ]);
  });
});

it("every option that exists is known", async () => {
  const client = await make({
    url: "http://server.test",
    path: "/",
    protocols: [],
    token: undefined,
    tokenIn: "query",
    tokenParam: "jwt",
    authEvent: "auth",
    anonymous: true,
    reconnect: { initialDelayMs: 1, maxDelayMs: 1, factor: 1, jitter: 0, maxAttempts: 1, stableAfterMs: 1 },
    heartbeat: { intervalMs: 1, timeoutMs: 1, ping: "ping", pong: "pong" },
    connectTimeoutMs: 1,
    queue: { maxMessages: 1, maxBytes: 1, ttlMs: 1, overflow: "reject" },
    maxMessageBytes: 100,
    delivery: "at-most-once",
    outbox: undefined,
    chat: undefined,
    buffer: { highBytes: 5, lowBytes: 5 },
    sessions: [],
    schemas: undefined,
    WebSocket: StandInSocket,
    logger: console,
  } satisfies { [Name in keyof Required<Options>]: unknown });
  client.send("note", {}, { volatile: true, ttlMs: 1, coalesce: "key", durable: false });
  expect(warnings).toEqual([expect.stringContaining("refused")]);
});

it("an invalid event that nobody hears of is named once in development, without what is in it", async () => {
  const { validate } = await import("everwire/validate");
  const { z } = await import("zod");
  const schemas = validate({ score: z.object({ by: z.object({ id: z.literal("secret") }) }), note: z.string() });
  const client = await make({ url: "http://server.test", schemas });
  client.connect();
  StandInSocket.newest.opens();
  for (let i = 0; i < 2; i++) StandInSocket.newest.says("score", { by: { id: "private" } });
  const end = client.on("invalid", () => {});
  StandInSocket.newest.says("note");
  end();
  client.dispose();
  expect(warnings).toEqual([expect.stringMatching(/"score" .*\(at by\.id\).*client\.on\("invalid"/)]);
  expect(warnings[0]).not.toMatch(/secret|private/);
});
