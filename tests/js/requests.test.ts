import { EverwireError } from "everwire";
import { expect, it, vi } from "vitest";
import { openClient, recorder, useStandIns } from "./harness/clients";
import { comeBack, outcome, reliableClient, sentOn, welcome, welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

it("a request resolves with the result of its reply, each with its own", async () => {
  const { client, socket } = welcomedClient();
  const [a, b] = [client.request("echo", { n: 1 }), client.request("echo", { n: 2 })];
  expect(socket.frames.slice(2)).toMatchObject([
    { type: "echo", data: { n: 1 }, seq: 1, request: true },
    { type: "echo", data: { n: 2 }, seq: 2, request: true },
  ]);
  socket.says("reply", { seq: 2, result: { n: 2 } }, { stream: "client", offset: 1 });
  socket.says("reply", { seq: 1, result: { n: 1 } }, { stream: "client", offset: 2 });
  expect(await Promise.all([a, b])).toEqual([{ n: 1 }, { n: 2 }]);
  expect(client.getSnapshot().protocolErrors).toBe(0);
});

it("a reply without a result is an empty object, and replies are no events of the application", async () => {
  const { client, socket } = welcomedClient();
  const { handler, heard } = recorder();
  client.on("reply", handler);
  const reply = client.request("echo");
  socket.says("reply", { seq: 1 });
  expect(await reply).toEqual({});
  expect(heard).toEqual([]);
});

it("a request is answered once, however often the server replies", async () => {
  const { client, socket } = welcomedClient();
  const reply = client.request("echo");
  socket.says("reply", { seq: 1, result: { n: 1 } });
  socket.says("reply", { seq: 1, result: { n: 2 } });
  expect(await reply).toEqual({ n: 1 });
  expect(client.getSnapshot().protocolErrors).toBe(1);
});

it("a request without a connection is sent once there is one, and answered across several", async () => {
  const client = reliableClient();
  const reply = client.request("echo", { n: 1 }, { timeoutMs: 60_000 });
  client.connect();
  expect(sentOn(welcome(StandInSocket.newest))).toEqual([["echo", 1]]);
  expect(sentOn(comeBack())).toEqual([["echo", 1]]);
  const socket = comeBack({ last: 1 });
  expect(sentOn(socket)).toEqual([]);
  socket.says("reply", { seq: 1, result: { n: 1 } });
  expect(await reply).toEqual({ n: 1 });
});

it("a request that the server refuses rejects with the server's words", async () => {
  const { client, socket } = welcomedClient();
  const reply = client.request("echo");
  const reason = { seq: 1, code: "not_allowed", message: "no" };
  socket.says("error", reason);
  await expect(reply).rejects.toBeInstanceOf(EverwireError);
  await expect(reply).rejects.toMatchObject({ code: "refused", cause: reason });
});

it("a request that gets no reply in time rejects, and its late reply is nobody's", async () => {
  const { client, socket } = welcomedClient();
  const [brief, usual] = [outcome(client.request("echo", {}, { timeoutMs: 50 })), outcome(client.request("echo"))];
  vi.advanceTimersByTime(49);
  socket.says("ack", { seq: 2 });
  vi.advanceTimersByTime(1);
  expect(await brief).toBe("timed_out");
  socket.says("reply", { seq: 1, result: {} });
  expect(client.getSnapshot().protocolErrors).toBe(1);
  vi.advanceTimersByTime(9_950);
  expect(await usual).toBe("timed_out");
});

it("a request that was not sent in time is never sent", async () => {
  const client = reliableClient();
  const reply = outcome(client.request("echo", {}, { timeoutMs: 50 }));
  vi.advanceTimersByTime(50);
  client.connect();
  vi.advanceTimersByTime(1);
  expect(await reply).toBe("timed_out");
  expect(sentOn(welcome(StandInSocket.newest))).toEqual([]);
});

it.each<[string, string, () => void]>([
  ["the connection is given up", "abandoned", () => StandInSocket.newest.ends(1002)],
  ["the server turns out not to know requests", "unsupported", () => StandInSocket.newest.says("pong", {})],
])("a request that waits when %s rejects", async (_when, code, happens) => {
  const client = reliableClient();
  const reply = outcome(client.request("echo", {}, { timeoutMs: 60_000 }));
  client.connect();
  StandInSocket.newest.opens();
  happens();
  expect(await reply).toBe(code);
});

it("disconnecting ends requests", async () => {
  const { client, socket } = welcomedClient();
  const reply = outcome(client.request("echo", {}, { timeoutMs: 60_000 }));
  client.disconnect();
  socket.ends(1000);
  expect(await reply).toBe("abandoned");
});

it("a request without the reliable mode is refused, and so is one that is no event", async () => {
  const { client, socket } = openClient();
  expect(await outcome(client.request("echo"))).toBe("unsupported");
  expect(socket.texts).toEqual([]);
  const { client: reliable } = welcomedClient();
  expect(await outcome(reliable.request("", {}))).toBe("invalid_event");
  expect(await outcome(reliable.request("echo", [] as never))).toBe("invalid_data");
  expect(await outcome(reliable.request("echo", { text: "x".repeat(20_000) }))).toBe("too_large");
});

it.each([0, -1, Number.NaN])("a request cannot wait for %d ms", async (timeoutMs) => {
  const { client, socket } = welcomedClient();
  await expect(client.request("echo", {}, { timeoutMs })).rejects.toMatchObject({
    code: "invalid_option",
    field: "timeoutMs",
  });
  expect(sentOn(socket)).toEqual([]);
});
