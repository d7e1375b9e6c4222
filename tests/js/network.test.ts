import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { NativeSocketClient, type Options } from "everwire";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type WebSocket as ServerSocket, WebSocket, WebSocketServer } from "ws";

/** Node throws what nobody listens to; in browsers an error of a socket is only another event. */
class BrowserSocket extends WebSocket {
  constructor(url: string) {
    super(url);
    this.on("error", () => {});
  }
}

let server: WebSocketServer;
let client: NativeSocketClient | undefined;

beforeEach(async () => {
  vi.stubGlobal("WebSocket", BrowserSocket);
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
});

afterEach(async () => {
  client?.disconnect();
  for (const socket of server.clients) socket.terminate();
  await new Promise((closed) => server.close(closed));
  vi.unstubAllGlobals();
});

function connect(options?: Options): NativeSocketClient {
  const { port } = server.address() as AddressInfo;
  client = new NativeSocketClient({ url: `http://127.0.0.1:${port}`, ...options });
  client.connect();
  return client;
}

async function accepted(): Promise<{ socket: ServerSocket; url: string | undefined }> {
  const [socket, request] = (await once(server, "connection")) as [ServerSocket, IncomingMessage];
  return { socket, url: request.url };
}

async function frame(socket: ServerSocket): Promise<unknown> {
  const [data] = (await once(socket, "message")) as [Buffer];
  return JSON.parse(data.toString());
}

const heard = (name: string) => new Promise<unknown>((resolve) => client?.on(name, resolve));

it("a real server sees the token and the frames, and is heard", async () => {
  const connecting = accepted();
  connect({ token: "a/b c" }).send("queued", { n: 1 });
  const { socket, url } = await connecting;
  expect(url).toBe("/api/ws?token=a%2Fb%20c");
  expect(await frame(socket)).toEqual({ type: "queued", data: { n: 1 }, timestamp: expect.any(Number) });
  const greeting = heard("greeting");
  socket.send(JSON.stringify({ type: "greeting", data: { text: "héllo" } }));
  expect(await greeting).toEqual({ text: "héllo" });
});

it("a connection that the server drops comes back, and what was sent meanwhile arrives", async () => {
  let connecting = accepted();
  const client = connect({ reconnect: { initialDelayMs: 1, jitter: 0 } });
  const first = await connecting;
  await heard("open");
  const closed = heard("close");
  connecting = accepted();
  first.socket.terminate();
  expect(await closed).toMatchObject({ code: 1006, wasClean: false });
  expect(client.send("note", { n: 2 })).toEqual({ status: "queued" });
  const second = await connecting;
  expect(await frame(second.socket)).toMatchObject({ type: "note", data: { n: 2 } });
});

it("disconnect() closes with 1000, and the server sees it", async () => {
  const connecting = accepted();
  const client = connect();
  const { socket } = await connecting;
  await heard("open");
  const closed = once(socket, "close");
  client.disconnect();
  expect((await closed)[0]).toBe(1000);
});

it("a dead link is noticed by its missing pong and replaced", async () => {
  let connecting = accepted();
  connect({ heartbeat: { intervalMs: 10, timeoutMs: 10 }, reconnect: { initialDelayMs: 1, jitter: 0 } });
  const { socket } = await connecting;
  connecting = accepted();
  expect(await frame(socket)).toMatchObject({ type: "ping", data: {} });
  await connecting;
});

it("a binary frame is reported and the connection stays", async () => {
  const connecting = accepted();
  const client = connect();
  const { socket } = await connecting;
  await heard("open");
  const error = heard("error");
  socket.send(Buffer.from([1, 2, 3]));
  expect(await error).toMatchObject({ code: "bad_frame", frame: null });
  expect(client.isConnected()).toBe(true);
});
