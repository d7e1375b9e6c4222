import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { NativeSocketClient, type Options } from "everwire";
import { overSocketIo } from "everwire/socket.io";
import { Server, type Socket as ServerSocket } from "socket.io";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket } from "ws";

let server: Server;
let url: string;
/** The clients that the server has let in, in order. */
let visits: ServerSocket[];
/** What the server's middleware has seen. */
let auths: unknown[];
const clients: NativeSocketClient[] = [];

beforeEach(async () => {
  const http = createServer();
  server = new Server(http);
  [visits, auths] = [[], []];
  server.use((socket, next) => {
    auths.push(socket.handshake.auth);
    next(socket.handshake.auth["token"] === "wrong" ? new Error("Not authorized") : undefined);
  });
  server.on("connection", (socket) => visits.push(socket));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.dispose();
  await server.close();
});

function connect(options: Options = {}): NativeSocketClient {
  const reconnect = { initialDelayMs: 20, maxDelayMs: 50 };
  const client = new NativeSocketClient({ url, reconnect, WebSocket: overSocketIo({ WebSocket }), ...options });
  clients.push(client);
  client.connect();
  return client;
}

const isOpen = (client: NativeSocketClient) => expect.poll(() => client.getSnapshot().phase).toBe("open");

/** The visit of this number, from 0. */
async function visit(number: number): Promise<ServerSocket> {
  await expect.poll(() => visits.length).toBeGreaterThan(number);
  return visits[number] as ServerSocket;
}

it("envelopes are Socket.IO's events in both directions, and the token is what authenticates", async () => {
  const client = connect({ token: "t & t" });
  const heard: unknown[] = [];
  for (const event of ["said", "nothing", "numbers", "word"]) client.on(event, (data) => heard.push([event, data]));
  const socket = await visit(0);
  expect(auths).toEqual([{ token: "t & t" }]);
  const said = new Promise((resolve) => socket.on("say", resolve));
  client.send("say", { text: "hello" });
  expect(await said).toEqual({ text: "hello" });
  socket.emit("said", { text: "hi" });
  socket.emit("nothing");
  socket.emit("numbers", 1, 2);
  socket.emit("word", "w");
  await expect.poll(() => heard.length).toBe(4);
  expect(heard).toEqual([
    ["said", { text: "hi" }],
    ["nothing", {}],
    ["numbers", { args: [1, 2] }],
    ["word", { args: ["w"] }],
  ]);
});

it("pings are answered without the server, whose own watch over the connection", async () => {
  const client = connect({ heartbeat: { intervalMs: 20, timeoutMs: 1_000 } });
  const socket = await visit(0);
  const heard: string[] = [];
  socket.onAny((event) => heard.push(event));
  await expect.poll(() => client.getSnapshot().lastRttMs).not.toBeNull();
  client.send("after", {});
  await expect.poll(() => heard).toEqual(["after"]);
});

it("what waited while there was no connection is sent in order when it is back", async () => {
  const client = connect({ reconnect: { initialDelayMs: 300 } });
  const heard: unknown[] = [];
  server.on("connection", (socket) => socket.on("number", ({ n }) => heard.push(n)));
  (await visit(0)).conn.close();
  await expect.poll(() => client.getSnapshot().phase).toBe("waiting");
  for (const n of [1, 2, 3]) client.send("number", { n });
  await expect.poll(() => heard).toEqual([1, 2, 3]);
  expect(visits.length).toBe(2);
});

it("a refused token is asked for anew once; then the client stops", async () => {
  const requests: unknown[] = [];
  const client = connect({
    token: (request) => {
      requests.push(request);
      return "wrong";
    },
  });
  await expect.poll(() => client.getSnapshot().phase).toBe("fatal");
  expect(client.getSnapshot().close).toMatchObject({ code: 4401, reason: "Not authorized" });
  expect(requests).toEqual([{ refused: false }, { refused: true }]);
});

it("a client that the server puts out stays away until it is asked to connect", async () => {
  const client = connect();
  (await visit(0)).disconnect();
  await expect.poll(() => client.getSnapshot().phase).toBe("fatal");
  expect(client.getSnapshot().close).toMatchObject({ code: 1002, reason: "io server disconnect" });
  client.connect();
  await visit(1);
  await isOpen(client);
});

it("a name that Socket.IO reserves is answered by an error, and the connection stays", async () => {
  const client = connect();
  await isOpen(client);
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  client.send("disconnect", {});
  await expect.poll(() => errors).toMatchObject([{ code: "reserved_event" }]);
  expect(client.getSnapshot().phase).toBe("open");
});

it("what is larger than the server takes is answered by an error that names it, and the connection stays", async () => {
  Object.assign(server.engine.opts, { maxHttpBufferSize: 5_000 });
  const client = connect();
  await isOpen(client);
  const socket = await visit(0);
  const heard: unknown[] = [];
  socket.onAny((event, data) => heard.push([event, data.n]));
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  const content = "x".repeat(6_000);
  client.send("message_sent", { n: 1, session_id: "s", message: { id: "m", content } });
  client.send("send_message", { n: 2, match_id: "m", client_id: "c", content });
  client.send("small", { n: 3 });
  await expect.poll(() => heard).toEqual([["small", 3]]);
  expect(errors).toEqual([
    expect.objectContaining({
      code: "too_large",
      message: "not sent: too_large",
      about: "message_sent",
      session_id: "s",
      message_id: "m",
    }),
    expect.objectContaining({ code: "too_large", about: "send_message", match_id: "m", message_id: "c" }),
  ]);
  expect(client.getSnapshot().phase).toBe("open");
});

it("a reliable message that is too large for a server whose welcome does not say so is dropped in the end", async () => {
  Object.assign(server.engine.opts, { maxHttpBufferSize: 5_000 });
  const heard: unknown[] = [];
  let last = 0;
  server.on("connection", (socket) => {
    const say = (type: string, data: object) => socket.emit("everwire", { type, data });
    socket.on("everwire", ({ type, data, seq }) => {
      if (type === "hello") say("welcome", { version: 1, epoch: 1, last, streams: {} });
      else if (type === "ping") say("pong", {});
      else {
        heard.push(data.n);
        last = seq;
        say("ack", { seq });
      }
    });
  });
  const client = connect({ delivery: "reliable", WebSocket: overSocketIo({ reliable: true, WebSocket }) });
  const told: unknown[] = [];
  client.on("close", ({ code }) => told.push(code));
  client.on("drop", ({ reason }) => told.push(reason));
  client.send("note", { n: 1, text: "x".repeat(6_000) });
  client.send("note", { n: 2 });
  await expect.poll(() => heard).toEqual([2]);
  expect(told).toEqual([1009, 1009, 1009, "poisoned"]);
});

it("the server learns of a client that leaves", async () => {
  const client = connect();
  const socket = await visit(0);
  const left = new Promise((resolve) => socket.on("disconnect", resolve));
  client.disconnect();
  expect(await left).toBe("client namespace disconnect");
  await expect.poll(() => client.getSnapshot().phase).toBe("idle");
});
