import { ConfigError, type EverwireError, type NativeSocketClient, type Options, type StoredMessage } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, recorder, useStandIns } from "./harness/clients";
import { accepted, greet, outcome, refusalOf, reliableClient, sentOn, statusesOf, welcome } from "./harness/reliable";
import { FullOutbox, StandInOutbox } from "./harness/standInOutbox";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

/** A connected client whose outbox is open. */
async function durableClient(outbox: StandInOutbox, options?: Options) {
  const client = reliableClient({ outbox, ...options });
  client.connect();
  await outbox.opened();
  await vi.advanceTimersByTimeAsync(0);
  const socket = StandInSocket.newest;
  socket.opens();
  return { client, socket, id: String(outbox.calls[0]).replace("open ", "") };
}

const send = (client: NativeSocketClient, type: string, options: object = {}) =>
  accepted(client.send(type, {}, { durable: true, ...options }));

const left = (clientId: string, seq: number, more: Partial<StoredMessage> = {}): StoredMessage => ({
  clientId,
  seq,
  frame: JSON.stringify({ type: `${clientId}-${seq}`, data: {}, timestamp: 0 }),
  bytes: 50,
  purpose: 0,
  expiresAt: null,
  createdAt: Date.now(),
  ...more,
});

describe("a durable message", () => {
  it("is sent when it is on disk, and leaves the disk when it is acknowledged", async () => {
    const outbox = new StandInOutbox();
    const { client, socket, id } = await durableClient(outbox);
    welcome(socket);
    const statuses = statusesOf(send(client, "note"));
    await vi.advanceTimersByTimeAsync(0);
    expect([outbox.calls, sentOn(socket)]).toEqual([[`open ${id}`, "put 1"], []]);
    await outbox.written();
    expect(sentOn(socket)).toEqual([["note", 1]]);
    socket.says("ack", { seq: 1 });
    expect(statuses).toEqual(["queued", "sent", "acknowledged"]);
    expect(outbox.calls.slice(2)).toEqual([`acknowledge ${id} 1`]);
  });

  it("is stored as it is sent, with what a later page has to know", async () => {
    const outbox = new StandInOutbox();
    const { client, id } = await durableClient(outbox);
    vi.setSystemTime(1_750_000_000_000);
    client.send("join_session", { session_id: "s", name: "naïve" }, { durable: true, ttlMs: 1_000 });
    await vi.advanceTimersByTimeAsync(0);
    const frame = '{"type":"join_session","data":{"session_id":"s","name":"naïve"},"timestamp":1750000000000}';
    expect(outbox.stored).toMatchObject([
      {
        clientId: id,
        seq: 1,
        frame,
        bytes: new TextEncoder().encode(frame).length,
        expiresAt: 1_750_000_001_000,
        createdAt: 1_750_000_000_000,
      },
    ]);
  });

  it("holds back what comes after it, so that order is kept", async () => {
    const outbox = new StandInOutbox();
    const { client, socket } = await durableClient(outbox);
    welcome(socket);
    client.send("a");
    send(client, "b");
    client.send("c");
    send(client, "d");
    await vi.advanceTimersByTimeAsync(0);
    expect(sentOn(socket)).toEqual([["a", 1]]);
    await outbox.written();
    expect(sentOn(socket).map(([type]) => type)).toEqual(["a", "b", "c"]);
    await outbox.written();
    expect(sentOn(socket).map(([type, seq]) => [type, seq])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["d", 4],
    ]);
  });

  it("that cannot be stored is sent all the same, and an error event says why", async () => {
    const outbox = new FullOutbox();
    const { client, socket } = await durableClient(outbox);
    welcome(socket);
    const { handler, heard } = recorder<EverwireError>();
    client.on("error", handler as never);
    const message = send(client, "note");
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).toMatchObject([{ code: "storage_full", cause: { name: "OutboxError" } }]);
    expect(message.status).toBe("sent");
    expect(client.getSnapshot().error).toBeNull();
  });

  it("that was sent before and comes again on the next connection is not stored again", async () => {
    const outbox = new StandInOutbox();
    const { client, socket, id } = await durableClient(outbox);
    welcome(socket);
    send(client, "note");
    await vi.advanceTimersByTimeAsync(0);
    await outbox.written();
    socket.ends();
    await vi.advanceTimersByTimeAsync(5_000);
    welcome(StandInSocket.newest, { last: 1 });
    expect(outbox.calls).toEqual([`open ${id}`, "put 1", `acknowledge ${id} 1`]);
  });

  it.each<[string, string, (socket: StandInSocket, message: ReturnType<typeof send>) => void]>([
    ["is taken back", "cancelled", (_socket, message) => message.cancel()],
    ["outlives its time", "expired", () => vi.advanceTimersByTime(60_000)],
    ["is replaced", "failed", () => {}],
  ])("that %s leaves the disk", async (what, status, happens) => {
    const outbox = new StandInOutbox();
    const { client, socket, id } = await durableClient(outbox, { heartbeat: { intervalMs: Number.POSITIVE_INFINITY } });
    const message = send(client, "note", { ttlMs: 60_000, coalesce: "key" });
    await vi.advanceTimersByTimeAsync(0);
    if (what === "is replaced") client.send("note", {}, { coalesce: "key" });
    happens(socket, message);
    expect(message.status).toBe(status);
    expect(outbox.calls).toEqual([`open ${id}`, "put 1", `remove ${id} 1`]);
  });

  it("that is taken back before the outbox is open is never written", async () => {
    const outbox = new StandInOutbox();
    const client = reliableClient({ outbox });
    expect(send(client, "note").cancel()).toBe(true);
    send(client, "another");
    await outbox.opened();
    expect(outbox.stored.map(({ seq }) => seq)).toEqual([2]);
  });

  it("that the server refuses leaves the disk", async () => {
    const outbox = new StandInOutbox();
    const { client, socket, id } = await durableClient(outbox);
    welcome(socket);
    send(client, "note");
    await vi.advanceTimersByTimeAsync(0);
    await outbox.written();
    socket.says("error", { seq: 1, code: "not_joined" });
    expect(outbox.calls.at(-1)).toBe(`remove ${id} 1`);
  });

  it("stays on disk when a server without the reliable mode cannot say whether it arrived", async () => {
    const outbox = new StandInOutbox();
    const { client, socket, id } = await durableClient(outbox);
    welcome(socket);
    const message = send(client, "note");
    await vi.advanceTimersByTimeAsync(0);
    await outbox.written();
    socket.ends();
    await vi.advanceTimersByTimeAsync(5_000);
    StandInSocket.newest.opens();
    StandInSocket.newest.says("pong", {});
    expect([message.status, await outcome(message.done())]).toEqual(["failed", "unconfirmed"]);
    expect(outbox.calls).toEqual([`open ${id}`, "put 1"]);
  });

  it("needs an outbox, and cannot be volatile", () => {
    for (const error of [
      refusalOf(makeClient().send("note", {}, { durable: true })),
      refusalOf(reliableClient({ outbox: new StandInOutbox() }).send("note", {}, { durable: true, volatile: true })),
    ]) {
      expect(error).toBeInstanceOf(ConfigError);
      expect(error).toMatchObject({ code: "invalid_option", field: "durable" });
    }
  });
});

describe("what earlier pages have left", () => {
  it("is waited for before the first token is asked for", async () => {
    const outbox = new StandInOutbox();
    const token = vi.fn(() => "token");
    const client = reliableClient({ outbox, token });
    client.connect();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([token.mock.calls.length, StandInSocket.made.length]).toEqual([0, 0]);
    await outbox.opened();
    expect(token).toHaveBeenCalledTimes(1);
    expect(StandInSocket.newest.url).toContain("?token=token");
  });

  it("is sent first and in order, under the names of its senders, each with a hello of its own", async () => {
    const outbox = new StandInOutbox([left("first", 7), left("first", 9), left("second", 2)]);
    const { client, socket, id } = await durableClient(outbox);
    client.send("own");
    expect(client.getSnapshot().queued).toBe(4);
    const hellos = () => socket.frames.filter(({ type }) => type === "hello").map(({ data }) => data["client_id"]);
    welcome(socket, { last: 6 });
    expect(sentOn(socket)).toEqual([
      ["first-7", 7],
      ["first-9", 9, 7],
    ]);
    socket.says("ack", { seq: 7 });
    expect(hellos()).toEqual(["first"]);
    socket.says("ack", { seq: 9 });
    expect(hellos()).toEqual(["first", "second"]);
    greet(socket, { last: 1 });
    expect(sentOn(socket).at(-1)).toEqual(["second-2", 2]);
    socket.says("ack", { seq: 2 });
    greet(socket, { last: 0 });
    expect(hellos()).toEqual(["first", "second", id]);
    expect(sentOn(socket).at(-1)).toEqual(["own", 1]);
    expect(outbox.calls.slice(1)).toEqual([
      "acknowledge first 6",
      "acknowledge first 7",
      "acknowledge first 9",
      "acknowledge second 1",
      "acknowledge second 2",
    ]);
    expect(client.getSnapshot().protocolErrors).toBe(0);
  });

  it("is not sent again where the server has it, and leaves the disk", async () => {
    const outbox = new StandInOutbox([left("first", 1), left("first", 2)]);
    const { client, socket } = await durableClient(outbox);
    welcome(socket, { last: 2 });
    expect([sentOn(socket), client.getSnapshot().queued]).toEqual([[], 0]);
    expect(outbox.calls.at(-1)).toBe("acknowledge first 2");
  });

  it("expires at its own time, and leaves the disk", async () => {
    const now = Date.now();
    const outbox = new StandInOutbox([left("first", 1, { expiresAt: now + 60_000 }), left("first", 2)]);
    const { client } = await durableClient(outbox, { connectTimeoutMs: 600_000 });
    const { handler, heard } = recorder();
    client.on("drop", handler);
    vi.advanceTimersByTime(60_000);
    expect(heard).toEqual([{ type: "first-1", data: {}, reason: "expired" }]);
    expect(outbox.calls.at(-1)).toBe("remove first 1");
    expect(client.getSnapshot().queued).toBe(1);
  });

  it("is not sent when it is older than the server remembers, is told as unconfirmed, and leaves the disk", async () => {
    const now = Date.now();
    const outbox = new StandInOutbox([
      left("first", 1, { createdAt: now - 60_001 }),
      left("first", 2, { createdAt: now - 50_000 }),
      // Of a clock that was much ahead, a little ahead, and of an outbox that does not know.
      left("first", 3, { createdAt: now + 100_000 }),
      left("first", 4, { createdAt: now + 50_000 }),
      left("first", 5, { createdAt: undefined as unknown as number }),
    ]);
    const { client, socket } = await durableClient(outbox);
    const { handler, heard } = recorder();
    client.on("drop", handler);
    welcome(socket, { remember_ms: 60_000 });
    expect(heard).toEqual([
      { type: "first-1", data: {}, reason: "unconfirmed" },
      { type: "first-3", data: {}, reason: "unconfirmed" },
    ]);
    expect(sentOn(socket).map(([type]) => type)).toEqual(["first-2", "first-4", "first-5"]);
    expect(outbox.calls.slice(-2)).toEqual(["remove first 1", "remove first 3"]);
  });

  it("does not tell this page's messages what becomes of it", async () => {
    const outbox = new StandInOutbox([left("first", 1)]);
    const { client, socket } = await durableClient(outbox);
    const { handler, heard } = recorder();
    client.on("error", handler);
    const own = accepted(client.send("own"));
    welcome(socket);
    socket.says("error", { seq: 1, code: "not_joined", message: "join first" });
    socket.says("ack", { seq: 1 });
    greet(socket);
    expect(own.status).toBe("sent");
    socket.says("receipt", { seq: 1, status: "read" }, { stream: "client:first", offset: 1 });
    expect(own.status).toBe("sent");
    expect(heard).toMatchObject([{ code: "not_joined" }]);
    expect(client.getSnapshot().protocolErrors).toBe(0);
    socket.says("ack", { seq: 1 });
    expect(own.status).toBe("acknowledged");
  });

  it("that cannot be had is an error event, and the client goes on in memory", async () => {
    const outbox = new StandInOutbox();
    const client = reliableClient({ outbox });
    const { handler, heard } = recorder<EverwireError>();
    client.on("error", handler as never);
    const message = send(client, "note");
    client.connect();
    await outbox.cannotOpen(Object.assign(new Error("no storage here"), { code: "storage_unavailable" }));
    expect(heard).toMatchObject([{ code: "storage_unavailable" }]);
    welcome(StandInSocket.newest);
    expect(message.status).toBe("sent");
    expect(send(client, "another").status).toBe("sent");
    expect(outbox.stored).toEqual([]);
  });
});

it("logging out disconnects, forgets every message, and wipes the outbox", async () => {
  const outbox = new StandInOutbox([left("first", 1)]);
  const { client, socket } = await durableClient(outbox);
  const { handler, heard } = recorder();
  client.on("drop", handler);
  const message = send(client, "note", { ttlMs: 60_000 });
  const request = outcome(client.request("echo"));
  await vi.advanceTimersByTimeAsync(0);
  await client.logout();
  expect(socket.closedWith).toBe(1000);
  expect(message.status).toBe("failed");
  expect([await outcome(message.done()), await request]).toEqual(["forgotten", "forgotten"]);
  expect(heard).toMatchObject(["first-1", "note", "echo"].map((type) => ({ type, reason: "forgotten" })));
  expect(client.getSnapshot()).toMatchObject({ queued: 0, queuedBytes: 0 });
  expect(outbox.calls.at(-1)).toBe("wipe");
});

it("what is written before logging out is over is the same user's, and forgotten too", async () => {
  const outbox = new StandInOutbox();
  const { client } = await durableClient(outbox);
  const leaving = client.logout();
  const message = send(client, "note", {});
  await leaving;
  expect([message.status, await outcome(message.done())]).toEqual(["failed", "forgotten"]);
  expect(client.getSnapshot().queued).toBe(0);
});

it("a wipe that fails is the caller's to know", async () => {
  const outbox = new StandInOutbox();
  const { client } = await durableClient(outbox);
  outbox.wipe = () => Promise.reject(new Error("the disk is gone"));
  await expect(client.logout()).rejects.toThrow("the disk is gone");
});
