import { expect, it, vi } from "vitest";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import { accepted, outcome, refusalOf, reliableClient, welcome, welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

it("what happens to a message during its own send() reaches its handle", async () => {
  const client = makeClient({ queue: { maxMessages: 1, overflow: "drop-oldest" } });
  let sendsAgain = true;
  client.on("drop", () => {
    if (sendsAgain) client.send("note", { text: "last" });
    sendsAgain = false;
  });
  client.send("note", { text: "first" });
  const message = accepted(client.send("note", { text: "second" }));
  expect([message.status, await outcome(message.done())]).toEqual(["failed", "overflow"]);
});

it.each(["dispose", "logout"] as const)(
  "a listener that calls %s() during a send() leaves nothing unsettled",
  async (act) => {
    const client = reliableClient();
    client.subscribe(() => void client[act]());
    const message = accepted(client.send("note"));
    expect(await outcome(message.done())).toBe(act === "dispose" ? "disposed" : "forgotten");
    const other = reliableClient();
    other.subscribe(() => void other[act]());
    expect(await outcome(other.request("echo"))).toBe(act === "dispose" ? "disposed" : "forgotten");
  },
);

it("a message that a listener sends during another's send() has a handle of its own, and both are acknowledged", () => {
  const client = reliableClient();
  let second: ReturnType<typeof accepted> | undefined;
  client.subscribe(() => {
    second ??= accepted(client.send("note", { text: "second" }));
  });
  const first = accepted(client.send("note", { text: "first" }));
  client.connect();
  const socket = welcome(StandInSocket.newest);
  socket.says("ack", { seq: 1 });
  expect([first.status, second?.status]).toEqual(["acknowledged", "sent"]);
});

it("a message whose socket closes while it is sent is sent, or goes out on the next connection", () => {
  const { client, socket } = openClient({ reconnect: { jitter: 0 } });
  const send = socket.send.bind(socket);
  socket.send = (text: string) => {
    send(text);
    socket.ends();
  };
  const message = accepted(client.send("note"));
  vi.advanceTimersByTime(1_000);
  StandInSocket.newest.opens();
  expect([message.status, client.getSnapshot().queued]).toEqual(["sent", 0]);
});

it.each<[string, unknown]>([
  ["a BigInt", 5n],
  ["an object", { valueOf: () => 5 }],
  ["a text", "5"],
])("a time to live that is %s is refused, and the client goes on", (_what, ttlMs) => {
  const { client, socket } = openClient();
  expect(refusalOf(client.send("note", {}, { ttlMs: ttlMs as number })).code).toBe("invalid_option");
  accepted(client.send("note", {}));
  expect(socket.frames.map(({ type }) => type)).toEqual(["note"]);
  client.dispose();
});

it.each<[string, unknown]>([
  ["a message id that is no text", { match_id: "m", message_id: JSON.parse('{"toString":1,"valueOf":1}') }],
  ["a message id without a prototype", { match_id: "m", message_id: Object.create(null) }],
])("%s makes a receipt that replaces nothing", (_what, data) => {
  const client = makeClient();
  expect(accepted(client.send("read_message", data as object)).status).toBe("queued");
});

it("what data throws while it is read refuses the message with a code", async () => {
  const client = reliableClient();
  let reads = 0;
  const data = {
    get session_id() {
      if (reads++) throw new Error("mine");
      return "s";
    },
  };
  expect(refusalOf(client.send("join_session", data)).code).toBe("unserialisable");
  reads = 0;
  expect(await outcome(client.request("join_session", data))).toBe("unserialisable");
});

it("a report that throws stops nothing that is told after it", () => {
  vi.stubGlobal("reportError", () => {
    throw new Error("the report");
  });
  const rethrown: (() => void)[] = [];
  vi.stubGlobal("queueMicrotask", (task: () => void) => rethrown.push(task));
  const client = makeClient();
  const heard: string[] = [];
  client.on("open", () => {
    throw new Error("mine");
  });
  client.on("open", () => heard.push("open"));
  client.on("close", () => heard.push("close"));
  client.connect();
  StandInSocket.newest.opens();
  StandInSocket.newest.ends();
  expect(heard).toEqual(["open", "close"]);
  expect(rethrown).toHaveLength(1);
  expect(rethrown[0]).toThrow("the report");
});

it.each(["at-most-once", "reliable"] as const)(
  "data that is no object and nested very deep is reported (%s)",
  (delivery) => {
    const { client, socket } = delivery === "reliable" ? welcomedClient() : openClient();
    const codes: unknown[] = [];
    client.on("error", (error) => codes.push(error.code));
    const stored = delivery === "reliable" ? ',"stream":"user","offset":1' : "";
    socket.saysText(`{"type":"note","data":${"[".repeat(6_000)}${"]".repeat(6_000)}${stored}}`);
    expect(codes).toEqual(["bad_frame"]);
  },
);

it.each(["", '"type":7,', '"type":"gap",', '"type":"note","data":[],'])(
  "a stored frame that is no event takes its place all the same: {%s…",
  (member) => {
    const { client, socket } = welcomedClient();
    const { handler, heard } = recorder();
    const codes: unknown[] = [];
    client.on("error", (error) => codes.push(error.code));
    client.on("note", handler);
    socket.saysText(`{${member}"stream":"user","offset":1}`);
    socket.says("note", { n: 2 }, { stream: "user", offset: 2 });
    expect([codes, heard]).toEqual([["bad_frame"], [{ n: 2 }]]);
    expect(client.isConnected()).toBe(true);
  },
);

it("a listener that another has taken away meanwhile is not called", () => {
  const client = makeClient();
  const heard: string[] = [];
  client.subscribe(() => {
    heard.push("first");
    stop();
  });
  const stop = client.subscribe(() => heard.push("second"));
  client.send("note");
  expect(heard).toEqual(["first"]);
});
