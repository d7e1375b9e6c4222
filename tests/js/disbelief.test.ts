import type { EverwireError, Logger } from "everwire";
import { expect, it, vi } from "vitest";
import { recorder, useStandIns } from "./harness/clients";
import { accepted, comeBack, greet, reliableClient, sentOn, welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

it.each<[string, (socket: StandInSocket) => void]>([
  ["acknowledges what was never sent", (socket) => socket.says("ack", { seq: 9 })],
  ["refuses what was never sent", (socket) => socket.says("error", { seq: 9, code: "not_joined" })],
  ["replies to what was never sent", (socket) => socket.says("reply", { seq: 9, result: {} })],
  ["has a receipt for what was never sent", (socket) => socket.says("receipt", { seq: 9, status: "read" })],
  ["replies to what is no request", (socket) => socket.says("reply", { seq: 1, result: {} })],
  ["has a receipt of an unknown kind", (socket) => socket.says("receipt", { seq: 1, status: "acknowledged" })],
  ["has a receipt of no kind", (socket) => socket.says("receipt", { seq: 1 })],
  ["acknowledges a text", (socket) => socket.says("ack", { seq: "1" })],
  ["acknowledges a negative number", (socket) => socket.says("ack", { seq: -1 })],
  ["acknowledges nothing", (socket) => socket.says("ack")],
  ["welcomes without being asked", (socket) => greet(socket, { last: 1 })],
  ["welcomes without an epoch", (socket) => socket.says("welcome", { version: 1, last: 1 })],
  ["gives a position that is no number", (socket) => socket.says("stream", { stream: "s", offset: "1" })],
  ["gives a position without a stream", (socket) => socket.says("stream", { offset: 1 })],
  ["welcomes with no streams at all", (socket) => greet(socket, { streams: null as never })],
  ["numbers an event wrongly", (socket) => socket.says("note", {}, { stream: "s", offset: 0.5 })],
  ["numbers an event before its predecessor", (socket) => socket.says("note", {}, { stream: "s", offset: 2, prev: 2 })],
])("a server that %s is not believed", (_what, speaks) => {
  const { client, socket } = welcomedClient();
  const message = accepted(client.send("note", { secret: "payload" }));
  const { handler, heard } = recorder<EverwireError>();
  client.on("error", handler as never);
  speaks(socket);
  expect(client.getSnapshot()).toMatchObject({ phase: "open", protocolErrors: 1 });
  expect(heard.filter(({ code }) => code === "protocol_error")).toHaveLength(1);
  expect(JSON.stringify(heard.map(({ message }) => message))).not.toMatch(/secret|payload/);
  expect(message.status).toBe("sent");
  expect(sentOn(comeBack())).toEqual([["note", 1]]);
});

it("positions of a welcome that nobody asked for change nothing", () => {
  const { client, socket } = welcomedClient();
  const { handler, heard } = recorder();
  client.on("gap", handler);
  socket.says("stream", { stream: "feed", offset: 3 });
  greet(socket, { streams: { feed: 9 } });
  socket.ends();
  vi.advanceTimersByTime(5_000);
  StandInSocket.newest.opens();
  expect(heard).toEqual([]);
  expect(StandInSocket.newest.frames[0]?.data["streams"]).toEqual({ feed: 3 });
});

it("a reply to a request that still waits to be sent is not believed", async () => {
  const { client, socket } = welcomedClient();
  socket.bufferedAmount = 1 << 20;
  client.send("fills the buffer");
  const answered = vi.fn();
  void client.request("echo", {}).then(answered, () => {});
  socket.says("reply", { seq: 2, result: { forged: true } });
  await vi.advanceTimersByTimeAsync(0);
  expect(answered).not.toHaveBeenCalled();
  expect(client.getSnapshot().protocolErrors).toBe(1);
});

it.each([
  ["with an older epoch", { epoch: 3 }],
  ["that has processed what was never sent", { epoch: 4, last: 9 }],
])("a welcome %s ends the connection, and messages go to the next", (_what, lie) => {
  const client = reliableClient();
  client.connect();
  StandInSocket.newest.opens();
  greet(StandInSocket.newest, { epoch: 4 });
  const message = accepted(client.send("note"));
  comeBackTo(lie);
  expect(client.getSnapshot()).toMatchObject({ phase: "waiting", protocolErrors: 1, close: { code: 1006 } });
  comeBackTo({ epoch: 4 });
  expect(sentOn(StandInSocket.newest)).toEqual([["note", 1]]);
  StandInSocket.newest.says("ack", { seq: 1 });
  expect(message.status).toBe("acknowledged");
});

it("a flood of nonsense is told ten times, counted, and borne a hundred times", () => {
  const { client, socket } = welcomedClient();
  const message = accepted(client.send("note"));
  const told = vi.fn();
  client.on("error", told);
  for (let frame = 0; frame < 1_000; frame++) socket.says("ack", { seq: 7 });
  expect(told).toHaveBeenCalledTimes(10);
  expect(client.getSnapshot()).toMatchObject({ phase: "waiting", protocolErrors: 101 });
  const next = comeBackTo({});
  for (let frame = 0; frame < 50; frame++) next.says("ack", { seq: 7 });
  expect(told).toHaveBeenCalledTimes(20);
  expect(client.getSnapshot()).toMatchObject({ phase: "open", protocolErrors: 151 });
  next.says("ack", { seq: 1 });
  expect(message.status).toBe("acknowledged");
});

it("an event that comes twice is delivered once, and one that comes too early makes the client resume", () => {
  const { client, socket } = welcomedClient();
  const { handler, heard } = recorder();
  client.on("note", handler);
  socket.says("note", { n: 1 }, { stream: "feed", offset: 1 });
  socket.says("note", { n: 1 }, { stream: "feed", offset: 1 });
  expect(client.getSnapshot().protocolErrors).toBe(1);
  socket.says("note", { n: 3 }, { stream: "feed", offset: 3 });
  expect(heard).toEqual([{ n: 1 }]);
  expect(client.getSnapshot().phase).toBe("waiting");
  const next = comeBackTo({ streams: { feed: 1 } });
  next.says("note", { n: 2 }, { stream: "feed", offset: 2 });
  next.says("note", { n: 4 }, { stream: "feed", offset: 4, prev: 2 });
  expect(heard).toEqual([{ n: 1 }, { n: 2 }, { n: 4 }]);
});

it("neither token nor payload shows in what the logger hears of the reliable mode", () => {
  const lines: string[] = [];
  const write = (text: string) => lines.push(text);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const { client, socket } = welcomedClient({ logger, token: "the-token" });
  client.send("note", { text: "the-payload" });
  client.send("note", { text: "the-payload" }, { coalesce: "k" });
  socket.says("error", { seq: 1, code: "not_joined", message: "the-payload" });
  socket.says("ack", { seq: 77 });
  socket.says("reply", { seq: 1, result: { text: "the-payload" } });
  socket.says("note", { text: "the-payload" }, { stream: "feed", offset: 1 });
  comeBack({ streams: { feed: 5 } });
  void client.logout();
  expect(lines.join("\n")).toContain("everwire: gap");
  expect(lines.join("\n")).toContain("the server broke the protocol");
  expect(lines.join("\n")).not.toMatch(/the-token|the-payload/);
});

function comeBackTo(answer: Parameters<typeof greet>[1]): StandInSocket {
  if (StandInSocket.newest.readyState === 1) StandInSocket.newest.ends();
  vi.advanceTimersByTime(10_000);
  StandInSocket.newest.opens();
  greet(StandInSocket.newest, answer);
  return StandInSocket.newest;
}

it("streams whose names no hello may name are delivered at most once", () => {
  const { client, socket } = welcomedClient();
  const { handler, heard } = recorder();
  client.on("note", handler);
  for (const stream of ["", "x".repeat(129), "ä".repeat(65)]) socket.says("note", { stream }, { stream, offset: 1 });
  expect(heard).toHaveLength(3);
  expect(sentOn(comeBack())).toEqual([]);
  expect(StandInSocket.newest.frames[0]?.data["streams"]).toEqual({});
});

it("an application cannot say hello in the client's place", () => {
  const { client } = welcomedClient();
  expect(client.send("hello", { name: "ada" })).toMatchObject({ status: "refused", code: "invalid_event" });
});
