import { expect, it } from "vitest";
import { useWorld } from "./world";

const world = useWorld();

it("asks for Engine.IO 4 over WebSocket, and keeps the query", async () => {
  const { server, open } = world();
  open("/?a=1", { query: { room: "r 1" } });
  const { url } = await server.connection(1);
  const { pathname, searchParams } = new URL(url, server.origin);
  expect(pathname).toBe("/socket.io/");
  expect(Object.fromEntries(searchParams)).toEqual({ EIO: "4", transport: "websocket", a: "1", room: "r 1" });
});

it("takes a query that is a text, as socket.io-client does", async () => {
  const { server, open } = world();
  open("/?a=1", { query: "room=r%201&token=t%26t" });
  const { url } = await server.connection(1);
  const { searchParams } = new URL(url, server.origin);
  expect(Object.fromEntries(searchParams)).toEqual({
    EIO: "4",
    transport: "websocket",
    a: "1",
    room: "r 1",
    token: "t&t",
  });
});

it("asks at the path of the server", async () => {
  const { server, open } = world();
  open("", { path: "/chat" });
  expect((await server.connection(1)).url).toMatch(/^\/chat\/\?/);
});

it("says nothing before the handshake, and then asks to be let in", async () => {
  const { server, open } = world();
  open();
  const connection = await server.connection(1);
  expect(connection.frames).toEqual([]);
  connection.shakeHands();
  await connection.has("40");
});

it("authenticates itself anew for each attempt", async () => {
  const { server, open } = world();
  let attempt = 0;
  open("", { auth: (settled) => settled({ attempt: ++attempt }) });
  await (await server.connection(1)).shakeHands().has('40{"attempt":1}');
  (await server.connection(1)).close(1011);
  await (await server.connection(2)).shakeHands().has('40{"attempt":2}');
});

it.each(["throws", "rejects"])("tries again when what it would authenticate itself by %s", async (how) => {
  const { server, open } = world();
  let attempt = 0;
  const auth = (settled: (data: object) => void): void | Promise<void> => {
    const failure = new Error("no token");
    if (++attempt > 1) settled({ attempt });
    else if (how === "throws") throw failure;
    else return Promise.reject(failure);
    return undefined;
  };
  const { told } = open("", { auth, timeout: 60_000 });
  await (await server.connection(1)).shakeHands().has('40{"attempt":2}');
  expect(told[0]).toMatch("`auth` failed");
});

it("is connected when it is let in, under the id that the server gives it", async () => {
  const { server, open } = world();
  const { socket, told } = open();
  const connection = await server.connection(1);
  connection.shakeHands();
  await connection.has("40");
  expect(socket.connected).toBe(false);
  connection.send('40{"sid":"s1"}');
  await expect.poll(() => told).toEqual(["connect s1"]);
  expect(socket).toMatchObject({ connected: true, id: "s1", recovered: false });
});

it("tells in the server's words why it is not let in, tries once more, and stays away", async () => {
  const { server, open } = world();
  const { socket, told } = open();
  for (const number of [1, 2]) {
    const connection = await server.connection(number);
    connection.shakeHands();
    await connection.has("40");
    connection.send('44{"message":"no","data":{"code":7}}');
  }
  await expect.poll(() => told).toEqual(["connect_error no", "connect_error no"]);
  expect(socket.active).toBe(false);
});

it("hears what the server says to it before it lets it in, once it has", async () => {
  const { server, open } = world();
  const { socket, told } = open();
  socket.on("early", (n) => told.push(`early ${n}`));
  const connection = await server.connection(1);
  connection.shakeHands();
  await connection.has("40");
  connection.send('42["early",1]', '40{"sid":"s1"}');
  await expect.poll(() => told).toEqual(["connect s1", "early 1"]);
});

it("sends nothing that is larger than the server takes, and says so", async () => {
  const { server, open } = world();
  const { socket, told } = open();
  const connection = await (await server.connection(1)).letIn({ maxPayload: 100 });
  await expect.poll(() => socket.connected).toBe(true);
  socket.emit("large", "x".repeat(200)).emit("small");
  await connection.has('42["small"]');
  await expect.poll(() => told).toContain("drop large too_large");
  expect(connection.packets).toEqual(['42["small"]']);
});

it("gives up an attempt that takes too long", async () => {
  const { server, open } = world();
  const { told } = open("", { timeout: 200 });
  (await server.connection(1)).shakeHands();
  await expect.poll(() => told).toContain("connect_error timeout");
  await server.connection(2);
});

it("says what a server is that answers with a page", async () => {
  const { server, open } = world();
  const { told } = open("", { WebSocket: class extends WebSocket {}, path: "/socket.io", reconnection: false });
  (await server.connection(1)).send("<!doctype html><title>Welcome</title>");
  await expect.poll(() => told.length).toBeGreaterThan(0);
  expect(told.join("\n")).toContain("not_engine_io");
});
