import { EverwireError } from "everwire";
import { describe, expect, it, vi } from "vitest";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import {
  accepted,
  comeBack,
  greet,
  outcome,
  reliableClient,
  sentOn,
  statusesOf,
  welcome,
  welcomedClient,
} from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

describe("a connection", () => {
  it("begins with hello and ping, and carries nothing else before the answer", () => {
    const client = reliableClient();
    client.connect();
    const socket = StandInSocket.newest;
    socket.opens();
    expect(client.send("note").status).toBe("queued");
    expect(socket.types).toEqual(["hello", "ping"]);
    expect(socket.frames[0]?.data).toEqual({
      versions: [1],
      client_id: expect.stringMatching(/^[\w-]{16,64}$/),
      streams: {},
    });
    expect(client.getSnapshot()).toMatchObject({ phase: "connecting", delivery: null });
    greet(socket);
    expect(client.getSnapshot()).toMatchObject({ phase: "open", delivery: "reliable", queued: 0 });
    expect(sentOn(socket)).toEqual([["note", 1]]);
  });

  it.each<[string, (socket: StandInSocket) => void]>([
    ["answers the ping first", (socket) => socket.says("pong", {})],
    ["refuses hello", (socket) => socket.says("error", { about: "hello", code: "unknown_type" })],
  ])("to a server that %s is at most once", async (_what, answer) => {
    const client = reliableClient();
    client.connect();
    const queued = accepted(client.send("note"));
    StandInSocket.newest.opens();
    answer(StandInSocket.newest);
    expect(client.getSnapshot()).toMatchObject({ phase: "open", delivery: "at-most-once" });
    const sent = accepted(client.send("note"));
    expect([queued.status, sent.status]).toEqual(["sent", "sent"]);
    expect(await outcome(Promise.all([queued.done(), sent.done()]))).toEqual([undefined, undefined]);
    expect(sentOn(StandInSocket.newest)).toEqual([
      ["note", undefined],
      ["note", undefined],
    ]);
  });

  it("sends again what was not acknowledged, and only that, in order", () => {
    const { client, socket } = welcomedClient();
    for (const type of ["a", "b", "c", "d"]) client.send(type);
    socket.says("ack", { seq: 1 });
    expect(sentOn(socket)).toEqual(["a", "b", "c", "d"].map((type, index) => [type, index + 1]));
    expect(sentOn(comeBack({ last: 2 }))).toEqual([
      ["c", 3],
      ["d", 4],
    ]);
    expect(sentOn(comeBack({ last: 4 }))).toEqual([]);
  });

  it("names its positions, so that the server sends what was missed", () => {
    const { client, socket } = welcomedClient();
    const { handler, heard } = recorder();
    client.on("notification", handler);
    socket.says("stream", { stream: "feed", offset: 4 });
    socket.says("notification", { n: 5 }, { stream: "feed", offset: 5 });
    socket.ends();
    vi.advanceTimersByTime(5_000);
    StandInSocket.newest.opens();
    expect(StandInSocket.newest.frames[0]?.data["streams"]).toEqual({ feed: 5 });
    expect(heard).toEqual([{ n: 5 }]);
  });

  it("to a server that has forgotten events tells which, before the events that follow", () => {
    const { client, socket } = welcomedClient();
    const news: unknown[] = [];
    client.on("gap", (gap) => news.push(gap));
    client.on("notification", (data) => news.push(data));
    socket.says("notification", { n: 1 }, { stream: "feed", offset: 1 });
    comeBack({ streams: { feed: 7 } }).says("notification", { n: 8 }, { stream: "feed", offset: 8 });
    expect(news).toEqual([{ n: 1 }, { stream: "feed", from: 2, to: 7 }, { n: 8 }]);
  });
});

describe("a message", () => {
  it("goes from queued over sent and acknowledged to delivered and read", () => {
    const client = reliableClient();
    const message = accepted(client.send("note"));
    const statuses = statusesOf(message);
    client.connect();
    const socket = welcome(StandInSocket.newest);
    socket.says("ack", { seq: 1 });
    socket.says("receipt", { seq: 1, status: "delivered" });
    socket.says("receipt", { seq: 1, status: "read" });
    socket.says("receipt", { seq: 1, status: "delivered" });
    expect(statuses).toEqual(["queued", "sent", "acknowledged", "delivered", "read"]);
    expect(client.getSnapshot().protocolErrors).toBe(0);
  });

  it("is done when it is acknowledged, not when it is sent", async () => {
    const { client, socket } = welcomedClient();
    const message = accepted(client.send("note"));
    const done = vi.fn();
    void message.done().then(done);
    await vi.advanceTimersByTimeAsync(0);
    expect([message.status, done.mock.calls.length]).toEqual(["sent", 0]);
    socket.says("ack", { seq: 1 });
    await message.done();
    expect(done).toHaveBeenCalledTimes(1);
  });

  it("whose receipt comes before its acknowledgement is done, and stays delivered", async () => {
    const { client, socket } = welcomedClient();
    const message = accepted(client.send("note"));
    socket.says("receipt", { seq: 1, status: "delivered" });
    socket.says("ack", { seq: 1 });
    await message.done();
    expect(message.status).toBe("delivered");
  });

  it("that the server refuses is told with the server's words, and is never sent again", async () => {
    const { client, socket } = welcomedClient();
    const message = accepted(client.send("note"));
    const { handler, heard } = recorder();
    client.on("error", handler);
    const reason = { seq: 1, code: "not_joined", message: "join first", about: "note" };
    socket.says("error", reason);
    socket.says("ack", { seq: 1 });
    expect(message.status).toBe("refused");
    await expect(message.done()).rejects.toMatchObject({ code: "refused", cause: reason });
    await expect(message.done()).rejects.toBeInstanceOf(EverwireError);
    expect(heard).toEqual([reason]);
    expect(sentOn(comeBack({ last: 1 }))).toEqual([]);
  });

  it("can be taken back while it waits, and not any more when it is sent", async () => {
    const client = reliableClient();
    const [first, second] = [accepted(client.send("a")), accepted(client.send("b"))];
    expect(first.cancel()).toBe(true);
    expect(first.cancel()).toBe(false);
    expect(first.status).toBe("cancelled");
    expect(await outcome(first.done())).toBe("cancelled");
    client.connect();
    const socket = welcome(StandInSocket.newest);
    expect(sentOn(socket)).toEqual([["b", 2, 0]]);
    expect(second.cancel()).toBe(false);
    socket.says("ack", { seq: 2 });
    expect(second.status).toBe("acknowledged");
  });

  it("tells each listener of each change until its subscription ends, also when another listener throws", () => {
    const reportError = vi.fn();
    vi.stubGlobal("reportError", reportError);
    const client = reliableClient();
    const message = accepted(client.send("note"));
    const cause = new Error("the listener is unwell");
    const listener = vi.fn();
    message.subscribe(() => {
      throw cause;
    });
    const off = message.subscribe(listener);
    message.subscribe(listener);
    client.connect();
    const socket = welcome(StandInSocket.newest);
    expect(listener).toHaveBeenCalledTimes(2);
    off();
    socket.says("ack", { seq: 1 });
    expect(listener).toHaveBeenCalledTimes(3);
    expect(reportError.mock.calls).toEqual([[cause], [cause]]);
    expect(message.status).toBe("acknowledged");
  });

  it("without the reliable mode is done when it is sent, and nothing is added to its frame", async () => {
    const { client, socket } = openClient();
    const sent = accepted(client.send("note"));
    await sent.done();
    expect([sent.status, sent.cancel()]).toEqual(["sent", false]);
    expect(Object.keys(socket.frames[0] ?? {})).toEqual(["type", "data", "timestamp"]);
    const waiting = accepted(makeClient().send("note"));
    expect([waiting.status, waiting.cancel(), waiting.status]).toEqual(["queued", true, "cancelled"]);
  });

  it("that was sent fails when the next server cannot say whether it arrived", async () => {
    const { client, socket } = welcomedClient();
    const message = accepted(client.send("note", { n: 1 }));
    const { handler, heard } = recorder();
    client.on("drop", handler);
    socket.ends();
    vi.advanceTimersByTime(5_000);
    StandInSocket.newest.opens();
    StandInSocket.newest.says("pong", {});
    expect(message.status).toBe("failed");
    expect(await outcome(message.done())).toBe("unconfirmed");
    expect(heard).toEqual([{ type: "note", data: { n: 1 }, reason: "unconfirmed" }]);
  });
});
