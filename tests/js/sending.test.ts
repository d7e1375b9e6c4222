import { EverwireError, type NativeSocketClient } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import { accepted, comeBack, sentOn, statusesOf, welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

function refused(result: ReturnType<NativeSocketClient["send"]>): EverwireError {
  if (result.status !== "refused") throw new Error(`the message was ${result.status}`);
  expect(result.error).toBeInstanceOf(EverwireError);
  expect(result.code).toBe(result.error.code);
  expect(result.reason).toBe(result.error.message);
  return result.error;
}

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;
const throwing = {
  toJSON() {
    throw new TypeError("not today");
  },
};

it("an open connection sends type, data and the time, and says so", () => {
  const { client, socket } = openClient();
  vi.setSystemTime(1_750_000_000_000);
  expect(client.send("message_sent", { session_id: "s", text: 'naïve "quotes" \u2028' })).toEqual({ status: "sent" });
  expect(socket.frames).toEqual([
    { type: "message_sent", data: { session_id: "s", text: 'naïve "quotes" \u2028' }, timestamp: 1_750_000_000_000 },
  ]);
});

describe("what is sent is well-formed", () => {
  const textOf = (data: object, type = "note") => {
    const { client, socket } = openClient();
    client.send(type, data as never);
    return socket.texts[0] ?? "";
  };

  it.each([
    ["the first half of an emoji", "a\ud83d", "a\ufffd"],
    ["the second half", "\ude00b", "\ufffdb"],
    ["halves in the wrong order", "\ude00\ud83d", "\ufffd\ufffd"],
    ["halves at every end of their range", "\ud800.\udbff.\udc00.\udfff", "\ufffd.\ufffd.\ufffd.\ufffd"],
    ["a half after a backslash", "\\\ud83d", "\\\ufffd"],
    ["a half after text that looks like one", "\\ud83d\ud83d", "\\ud83d\ufffd"],
    ["a whole emoji", "\ud83d\ude00", "\ud83d\ude00"],
    ["text that looks like the first half", "\\ud83d", "\\ud83d"],
    ["text that looks like it after backslashes", "\\\\\\ud83d\\\\ude00", "\\\\\\ud83d\\\\ude00"],
    ["characters that are written as escapes", '\u0000\u001f"\n\\/\u2028', '\u0000\u001f"\n\\/\u2028'],
    ["what lies just outside the halves", "\ud7ff\ue000", "\ud7ff\ue000"],
  ])("%s in a value, in a key and in a name", (_what, text, sent) => {
    const frame = textOf({ text, [text]: [{ [text]: text }] }, `n${text}`);
    expect(frame).not.toMatch(/[^\\](?:\\\\)*\\ud[89a-f]/i);
    expect(JSON.parse(frame)).toMatchObject({ type: `n${sent}`, data: { text: sent, [sent]: [{ [sent]: sent }] } });
  });

  it.skipIf(!("rawJSON" in JSON))("escapes of the application's own are treated as what they stand for", () => {
    const raw = (text: string) => ({ toJSON: () => (JSON as unknown as Raw).rawJSON(text) });
    const frame = textOf({ pair: raw('"\\uD83D\\uDE00"'), half: raw('"\\uD83D"') });
    expect(JSON.parse(frame)).toMatchObject({ data: { pair: "\ud83d\ude00", half: "\ufffd" } });
  });

  it("sizes are those of what is sent", () => {
    const half = makeClient();
    const whole = makeClient();
    half.send("note", { text: "\ud83d" });
    whole.send("note", { text: "\ufffd" });
    expect(half.getSnapshot().queuedBytes).toBe(whole.getSnapshot().queuedBytes);
  });
});

interface Raw {
  rawJSON(text: string): unknown;
}

describe("depth", () => {
  const nested = (levels: number, open: string, close: string) =>
    JSON.parse(`{"deep":${open.repeat(levels)}1${close.repeat(levels)}}`);

  it.each([
    ["arrays", "[", "]"],
    ["objects", '{"deep":', "}"],
  ])("of 64 levels of %s, envelope included, is sent, and of 65 refused at the call", (_what, open, close) => {
    const { client, socket } = openClient();
    expect(client.send("note", nested(62, open, close))).toEqual({ status: "sent" });
    expect(refused(client.send("note", nested(63, open, close)))).toMatchObject({ code: "unserialisable" });
    expect(refused(client.send("note", nested(3_000, open, close)))).toMatchObject({ code: "unserialisable" });
    expect(socket.types).toEqual(["note"]);
  });

  it("does not count what is beside each other, or in texts", () => {
    const { client, socket } = openClient();
    const texts = ["[".repeat(100), '\\"['.repeat(100), `"${"{".repeat(100)}`, "\\"];
    client.send("note", { texts, [texts.join()]: texts, list: Array.from({ length: 100 }, () => [{}]) });
    expect(socket.types).toEqual(["note"]);
  });
});

it("data that is left out is an empty object", () => {
  const { client, socket } = openClient();
  client.send("hello");
  client.send("hello", undefined);
  client.send("hello", null);
  expect(socket.frames.map((frame) => frame.data)).toEqual([{}, {}, {}]);
});

it("without a connection a message is queued, and sent in order after sessions are rejoined", () => {
  const { client, socket } = openClient();
  client.send("join_session", { session_id: "s" });
  socket.ends();
  expect(client.send("message_sent", { session_id: "s", n: 1 })).toEqual({ status: "queued" });
  expect(client.send("message_sent", { session_id: "s", n: 2 })).toEqual({ status: "queued" });
  expect(client.getSnapshot().queued).toBe(2);
  vi.advanceTimersByTime(2_000);
  StandInSocket.newest.opens();
  expect(StandInSocket.newest.frames.map(({ type, data }) => [type, data["n"]])).toEqual([
    ["join_session", undefined],
    ["message_sent", 1],
    ["message_sent", 2],
  ]);
  expect(client.getSnapshot()).toMatchObject({ queued: 0, queuedBytes: 0 });
});

describe.each([
  ["open", () => openClient().client],
  ["closed", () => makeClient()],
])("with the connection %s", (_, make) => {
  function unaffected(act: (client: NativeSocketClient) => void): void {
    const client = make();
    act(client);
    expect(client.getSnapshot()).toMatchObject({ queued: 0, queuedBytes: 0 });
    expect(StandInSocket.made.flatMap((socket) => socket.texts)).toEqual([]);
  }

  it.each([
    ["a cycle", cycle, "TypeError"],
    ["a BigInt", { big: 1n }, "TypeError"],
    ["a toJSON that throws", throwing, "TypeError"],
  ])("%s is refused with what JSON said about it", (_what, data, cause) => {
    unaffected((client) => {
      const error = refused(client.send("message_sent", data));
      expect(error.code).toBe("unserialisable");
      expect(error.cause).toMatchObject({ name: cause });
    });
  });

  it.each([
    ["a function", () => {}],
    ["an array", [1, 2]],
    ["a string", "{}"],
    ["a number", 5],
    ["a boolean", false],
    ["a symbol", Symbol("x")],
    ["a date", new Date(0)],
  ])("%s is refused, because data must be an object", (_what, data) => {
    unaffected((client) => expect(refused(client.send("message_sent", data)).code).toBe("invalid_data"));
  });

  it.each([[""], [5], [undefined], [null], [{}]])("an event cannot be named %o", (name) => {
    unaffected((client) => expect(refused(client.send(name as string, {})).code).toBe("invalid_event"));
  });

  it("a message over the limit is refused with both sizes, and one of exactly the limit is not", () => {
    vi.setSystemTime(1_750_000_000_000);
    const bytes = new TextEncoder().encode('{"type":"note","data":{"text":"é"},"timestamp":1750000000000}').length;
    unaffected((client) => {
      expect(client.getSnapshot().queued).toBe(0);
      const small = makeClient({ maxMessageBytes: bytes - 1 });
      const error = refused(small.send("note", { text: "é" }));
      expect(error.code).toBe("too_large");
      expect(error.message).toContain(String(bytes));
      expect(error.message).toContain(String(bytes - 1));
      expect(small.getSnapshot().queued).toBe(0);
      expect(makeClient({ maxMessageBytes: bytes }).send("note", { text: "é" })).toEqual({ status: "queued" });
    });
  });

  it("the default limit is 10 240 bytes", () => {
    unaffected((client) => expect(refused(client.send("note", { text: "x".repeat(10_240) })).code).toBe("too_large"));
  });
});

it.each(["ping", "user_typing", "typing"])("%s is volatile: it is refused while there is no connection", (type) => {
  const client = makeClient();
  expect(refused(client.send(type, {})).code).toBe("not_open");
  expect(client.getSnapshot().queued).toBe(0);
});

describe("a socket that has begun to close", () => {
  it("takes nothing: the message waits, says so, and is sent once on the next connection", async () => {
    const { client, socket } = openClient();
    socket.readyState = 2;
    const message = accepted(client.send("note"));
    const statuses = statusesOf(message);
    const done = vi.fn();
    void message.done().then(done);
    await vi.advanceTimersByTimeAsync(0);
    expect(client.getSnapshot()).toMatchObject({ phase: "closing", queued: 1 });
    expect([statuses, done.mock.calls.length, socket.texts]).toEqual([["queued"], 0, []]);
    socket.ends();
    await vi.advanceTimersByTimeAsync(2_000);
    StandInSocket.newest.opens();
    await vi.advanceTimersByTimeAsync(0);
    expect([statuses, done.mock.calls.length, StandInSocket.newest.types]).toEqual([["queued", "sent"], 1, ["note"]]);
  });

  it("takes nothing of what has waited either", () => {
    const client = makeClient();
    client.connect();
    const messages = [accepted(client.send("a")), accepted(client.send("b"))];
    StandInSocket.newest.readyState = 2;
    StandInSocket.newest.onopen?.({});
    expect(messages.map(({ status }) => status)).toEqual(["queued", "queued"]);
    expect(client.getSnapshot().queued).toBe(2);
  });

  it.each(["at-most-once", "reliable"] as const)("refuses what is volatile (%s)", (delivery) => {
    const { client, socket } = delivery === "reliable" ? welcomedClient() : openClient();
    socket.readyState = 2;
    expect(refused(client.send("cursor", {}, { volatile: true })).code).toBe("not_open");
  });

  it("takes nothing of what is acknowledged either, which is sent once on the next connection", () => {
    const { client, socket } = welcomedClient();
    socket.readyState = 2;
    const message = accepted(client.send("note"));
    const next = comeBack();
    expect(sentOn(next)).toEqual([["note", 1]]);
    next.says("ack", { seq: 1 });
    expect(message.status).toBe("acknowledged");
  });
});

it("a full queue refuses, unless it may drop the oldest message, which it reports", () => {
  const strict = makeClient({ queue: { maxMessages: 1 } });
  expect(strict.send("a")).toEqual({ status: "queued" });
  expect(refused(strict.send("b")).code).toBe("queue_full");

  const lenient = makeClient({ queue: { maxMessages: 1, overflow: "drop-oldest" } });
  const { handler, heard } = recorder();
  lenient.on("drop", handler);
  lenient.send("a", { n: 1 });
  expect(lenient.send("b")).toEqual({ status: "queued" });
  expect(heard).toEqual([{ type: "a", data: { n: 1 }, reason: "overflow" }]);
});

it("a message that waited too long is dropped and reported", () => {
  const client = makeClient({ queue: { ttlMs: 1_000 } });
  const { handler, heard } = recorder();
  client.on("drop", handler);
  client.connect();
  client.send("note", { n: 1 });
  vi.advanceTimersByTime(1_001);
  StandInSocket.newest.opens();
  expect(heard).toEqual([{ type: "note", data: { n: 1 }, reason: "expired" }]);
  expect(StandInSocket.newest.texts).toEqual([]);
});
