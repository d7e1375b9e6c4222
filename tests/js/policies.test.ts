import { ConfigError } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, recorder, useStandIns } from "./harness/clients";
import {
  accepted,
  comeBack,
  outcome,
  refusalOf,
  reliableClient,
  sentOn,
  statusesOf,
  welcome,
  welcomedClient,
} from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const FULL = 1 << 20;

/** A client whose browser has taken more than it can hand on; one message has filled it. */
function stuffedClient() {
  const { client, socket } = welcomedClient();
  socket.bufferedAmount = FULL;
  client.send("first");
  return { client, socket };
}

function drains(socket: StandInSocket): void {
  socket.bufferedAmount = 0;
  vi.advanceTimersByTime(100);
}

describe("a volatile message", () => {
  it("is sent on the open connection without a number, and not again", async () => {
    const { client, socket } = welcomedClient();
    const message = accepted(client.send("cursor", { x: 1 }, { volatile: true }));
    expect(message.status).toBe("sent");
    await message.done();
    expect(sentOn(socket)).toEqual([["cursor", undefined]]);
    expect(sentOn(comeBack())).toEqual([]);
  });

  it("is refused while there is no connection", () => {
    const client = reliableClient();
    expect(refusalOf(client.send("cursor", {}, { volatile: true })).code).toBe("not_open");
  });

  it("waits behind all others while the buffer is full, and is then done", async () => {
    const { client, socket } = stuffedClient();
    const message = accepted(client.send("cursor", {}, { volatile: true }));
    client.send("second");
    expect(message.status).toBe("queued");
    drains(socket);
    expect(sentOn(socket)).toEqual([
      ["first", 1],
      ["second", 3, 1],
      ["cursor", undefined],
    ]);
    expect(message.status).toBe("sent");
    await message.done();
  });

  it("that waits when the connection ends is dropped", async () => {
    const { client, socket } = stuffedClient();
    const { handler, heard } = recorder();
    client.on("drop", handler);
    const message = accepted(client.send("cursor", { x: 1 }, { volatile: true }));
    socket.ends();
    expect(heard).toEqual([{ type: "cursor", data: { x: 1 }, reason: "not_open" }]);
    expect([message.status, await outcome(message.done())]).toEqual(["failed", "not_open"]);
  });

  it("is not told as dropped if it is a ping, which conversations send by themselves", async () => {
    const { client, socket } = stuffedClient();
    const { handler, heard } = recorder();
    client.on("drop", handler);
    const message = accepted(client.send("ping", {}));
    socket.ends();
    expect(heard).toEqual([]);
    expect([message.status, await outcome(message.done())]).toEqual(["failed", "not_open"]);
  });
});

describe("ttlMs", () => {
  it("ends the wait of a message that was not sent by then", async () => {
    const client = reliableClient();
    const { handler, heard } = recorder();
    client.on("drop", handler);
    const brief = accepted(client.send("brief", {}, { ttlMs: 1_000 }));
    const patient = accepted(client.send("patient"));
    client.connect();
    vi.advanceTimersByTime(1_000);
    welcome(StandInSocket.newest);
    expect([brief.status, patient.status]).toEqual(["expired", "sent"]);
    expect(await outcome(brief.done())).toBe("expired");
    expect(heard).toEqual([{ type: "brief", data: {}, reason: "expired" }]);
  });

  it("takes precedence over the queue's, in both directions", () => {
    const client = reliableClient({ queue: { ttlMs: 500 } });
    const statuses = [100, 1_000, Number.POSITIVE_INFINITY, undefined].map((ttlMs) =>
      accepted(client.send("note", {}, { ttlMs })),
    );
    client.connect();
    vi.advanceTimersByTime(600);
    expect(statuses.map(({ status }) => status)).toEqual(["expired", "queued", "queued", "expired"]);
  });

  it("means nothing to a message that was sent", () => {
    const { client, socket } = welcomedClient();
    const message = accepted(client.send("note", {}, { ttlMs: 10 }));
    socket.ends();
    vi.advanceTimersByTime(5_000);
    expect(message.status).toBe("sent");
    expect(sentOn(welcome(StandInSocket.newest))).toEqual([["note", 1]]);
  });

  it.each([0, -1, Number.NaN])("cannot be %d", (ttlMs) => {
    const error = refusalOf(makeClient().send("note", {}, { ttlMs }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: "invalid_option", field: "ttlMs" });
  });
});

describe("coalesce", () => {
  it("lets a message take the place of one with the same key that waits", async () => {
    const client = reliableClient();
    const { handler, heard } = recorder();
    client.on("drop", handler);
    const [first, other, last] = [
      accepted(client.send("presence", { n: 1 }, { coalesce: "presence" })),
      accepted(client.send("presence", { n: 2 }, { coalesce: "another" })),
      accepted(client.send("presence", { n: 3 }, { coalesce: "presence" })),
    ];
    expect([first, other, last].map(({ status }) => status)).toEqual(["failed", "queued", "queued"]);
    expect(await outcome(first.done())).toBe("replaced");
    expect(heard).toEqual([{ type: "presence", data: { n: 1 }, reason: "replaced" }]);
    client.connect();
    expect(
      welcome(StandInSocket.newest)
        .frames.slice(2)
        .map(({ data }) => data["n"]),
    ).toEqual([2, 3]);
  });

  it("does not touch what was sent, and messages without a key", () => {
    const { client, socket } = welcomedClient();
    const sent = accepted(client.send("presence", {}, { coalesce: "presence" }));
    client.send("presence", {}, { coalesce: "presence" });
    client.send("presence");
    socket.says("ack", { seq: 3 });
    expect(sent.status).toBe("acknowledged");
    expect(sentOn(socket)).toHaveLength(3);
  });

  it("is the default for read receipts, by match, and only the furthest is left", () => {
    const client = reliableClient();
    const read = (match_id: string, message_id: unknown) =>
      accepted(client.send("read_message", { match_id, message_id }));
    const receipts = [read("a", 9), read("b", "7"), read("a", "10"), read("a", 8), read("a", "9007199254740993")];
    expect(receipts.map(({ status }) => status)).toEqual(["failed", "queued", "queued", "queued", "queued"]);
    client.connect();
    const sent = welcome(StandInSocket.newest).frames.filter(({ type }) => type === "read_message");
    expect(sent.map(({ data }) => data["message_id"])).toEqual(["7", "10", 8, "9007199254740993"]);
  });

  it.each([
    ["texts without an order", ["m2", "m1"]],
    ["numbers and then a text", [1, "m1"]],
    ["a text and then numbers", ["m1", 1]],
    ["fractions", [1.5, 2.5]],
    ["missing", [undefined, undefined]],
  ])("does not let a read receipt replace another whose ids are %s", (_what, ids) => {
    const client = reliableClient();
    const receipts = ids.map((message_id) =>
      accepted(client.send("read_message", { match_id: "a", ...(message_id !== undefined && { message_id }) })),
    );
    expect(receipts.map(({ status }) => status)).toEqual(["queued", "queued"]);
  });

  it.each([
    ["user_typing", "session_id"],
    ["typing", "match_id"],
  ])("is the default for %s, by session, while it waits for the buffer", (type, field) => {
    const { client, socket } = stuffedClient();
    for (const [session, n] of [
      ["a", 1],
      ["b", 2],
      ["a", 3],
    ]) {
      accepted(client.send(type, { [String(field)]: session, n }));
    }
    drains(socket);
    const typing = socket.frames.filter((frame) => frame.type === type);
    expect(typing.map(({ data }) => data["n"])).toEqual([2, 3]);
  });
});

describe("a full buffer", () => {
  it("holds messages back until it is below the low mark, and never pings", () => {
    const { client, socket } = welcomedClient({ heartbeat: { intervalMs: 1_000 } });
    vi.advanceTimersByTime(500);
    socket.bufferedAmount = FULL;
    client.send("first");
    const message = accepted(client.send("second"));
    const statuses = statusesOf(message);
    const pings = socket.types.filter((type) => type === "ping").length;
    vi.advanceTimersByTime(600);
    expect(socket.types.filter((type) => type === "ping")).toHaveLength(pings + 1);
    socket.bufferedAmount = 65_537;
    vi.advanceTimersByTime(100);
    expect(statuses).toEqual(["queued"]);
    socket.bufferedAmount = 65_536;
    vi.advanceTimersByTime(100);
    expect(statuses).toEqual(["queued", "sent"]);
  });

  it("begins at the high mark", () => {
    const { client, socket } = welcomedClient({ buffer: { highBytes: 1_000, lowBytes: 0 } });
    socket.bufferedAmount = 1_000;
    client.send("first");
    expect(client.getSnapshot().hasRoom).toBe(true);
    socket.bufferedAmount = 1_001;
    client.send("second");
    expect(client.getSnapshot().hasRoom).toBe(false);
  });

  it("is what whenRoom() waits for", async () => {
    const { client, socket } = stuffedClient();
    expect(client.getSnapshot().hasRoom).toBe(false);
    const room = vi.fn();
    void client.whenRoom().then(room);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(room).not.toHaveBeenCalled();
    socket.bufferedAmount = 0;
    await vi.advanceTimersByTimeAsync(100);
    expect(room).toHaveBeenCalledTimes(1);
    await client.whenRoom();
  });
});

it("whenRoom() also waits for the window, and for the queue while there is no connection", async () => {
  const client = reliableClient({ queue: { maxMessages: 2 } });
  client.send("a");
  await client.whenRoom();
  client.send("b");
  const room = vi.fn();
  void client.whenRoom().then(room);
  await vi.advanceTimersByTimeAsync(0);
  expect(room).not.toHaveBeenCalled();
  client.connect();
  const socket = welcome(StandInSocket.newest, { window: 2 });
  expect(sentOn(socket)).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(0);
  expect(room).not.toHaveBeenCalled();
  expect(client.send("c").status).toBe("queued");
  socket.says("ack", { seq: 2 });
  await vi.advanceTimersByTimeAsync(0);
  expect(room).toHaveBeenCalledTimes(1);
  expect(sentOn(socket)).toHaveLength(3);
});

it("a message that is refused while another's drop is told is handed back as well", () => {
  const client = makeClient({ queue: { maxMessages: 0, overflow: "drop-newest" } });
  const dropped: unknown[] = [];
  client.on("drop", ({ type, data, reason }) => {
    dropped.push([type, data, reason]);
    if (type === "first") expect(client.send("second", { n: 2 }).status).toBe("refused");
  });
  expect(client.send("first", { n: 1 }).status).toBe("refused");
  expect(dropped).toEqual([
    ["first", { n: 1 }, "overflow"],
    ["second", { n: 2 }, "overflow"],
  ]);
});
