import * as everwire from "everwire/socket.io";
import { expect, it } from "vitest";
import { useWorld } from "./world";

const { io, Manager, Socket } = everwire;
const world = useWorld();

it("a wrong option fails its own call, and none that comes after it", () => {
  const { origin } = world().server;
  expect(() => io(origin, { auth: "secret" as unknown as object })).toThrow("`auth` must be");
  const socket = io(origin, { auth: { token: "secret" }, autoConnect: false });
  expect(io(`${origin}/other`, { autoConnect: false }).io).toBe(socket.io);
});

it("who hears that an acknowledgement cannot come knows already that the connection is gone", async () => {
  const { socket, told } = world().open("", { reconnection: false });
  const connection = await (await world().server.connection(1)).letIn();
  await expect.poll(() => socket.connected).toBe(true);
  socket
    .timeout(10_000)
    .emit("ask", (failure: Error) => told.push(`${failure.message} ${socket.connected} ${socket.id}`));
  socket.emitWithAck("ask").catch(({ message }) => told.push(message));
  await connection.has('421["ask"]');
  connection.close(1011);
  await expect.poll(() => told.length).toBe(4);
  const gone = "socket has been disconnected";
  expect(told.slice(1)).toEqual(["disconnect transport close", `${gone} false undefined`, gone]);
});

it("no number of attempts is no bound", async () => {
  const { server, open } = world();
  const { socket } = open("", { reconnectionAttempts: 0 });
  for (const number of [1, 2, 3]) (await server.connection(number)).close(1011);
  await (await server.connection(4)).letIn();
  await expect.poll(() => socket.connected).toBe(true);
});

it.each([1002, 1003, 1007, 1008, 1010, 4400, 4401])(
  "comes back after a close with %i, of which Socket.IO knows nothing",
  async (code) => {
    const { server, open } = world();
    const { socket, told } = open();
    for (const number of [1, 2, 3]) {
      const connection = await (await server.connection(number)).letIn({}, `s${number}`);
      await expect.poll(() => socket.id).toBe(`s${number}`);
      connection.close(code);
    }
    expect(told.filter((what) => what.startsWith("disconnect"))).toEqual(Array(2).fill("disconnect transport close"));
  },
);

it("listeners of every kind are called with the client as `this`", async () => {
  const { server, open } = world();
  const { socket } = open();
  const seen: unknown[] = [];
  const see = function (this: unknown) {
    seen.push(this);
  };
  socket.on("hello", see).onAny(see).onAnyOutgoing(see);
  const connection = await (await server.connection(1)).letIn();
  await expect.poll(() => socket.connected).toBe(true);
  socket.emit("ask", see);
  await connection.has('421["ask"]');
  connection.send("431[]", '42["hello"]');
  await expect.poll(() => seen.length).toBe(4);
  expect(seen.every((one) => one === socket)).toBe(true);
});

it("a manager connects those that are to be connected, and no others", async () => {
  const { server, open } = world();
  const { socket } = open("", { autoConnect: false, reconnectionAttempts: 1 });
  const left = socket.io.socket("/left").connect().disconnect();
  const never = socket.io.socket("/never");
  socket.connect();
  for (const number of [1, 2]) (await server.connection(number)).close(1011);
  await expect.poll(() => socket.active).toBe(false);
  const opened = new Promise((done) => socket.io.open(done));
  await (await server.connection(3)).letIn();
  await expect(opened).resolves.toBeUndefined();
  expect([socket.connected, left.active, never.active]).toEqual([true, false, false]);
});

it("code that imports one thing has the others on it", () => {
  expect([io.connect, io.Manager, io.Socket, everwire.default]).toEqual([io, Manager, Socket, io]);
});
