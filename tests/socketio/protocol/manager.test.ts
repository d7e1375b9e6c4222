import type { Manager, ManagerOptions } from "everwire/socket.io";
import { expect, it } from "vitest";
import type { WireConnection } from "./wireServer";
import { useWorld } from "./world";

const world = useWorld();

const NAMESPACES = ["/", "/a", "/b"] as const;

/** A manager with three clients, and what it tells. */
function open(options: ManagerOptions = {}) {
  const { socket: root } = world().open("", options);
  const told: string[] = [];
  listen(root.io, told);
  return { told, sockets: [root, root.io.socket("/a"), root.io.socket("/b")] as const };
}

function listen(manager: Manager, told: string[]): void {
  for (const event of ["open", "reconnect_failed"] as const) manager.on(event, () => told.push(event));
  for (const event of ["error", "reconnect_error"] as const) manager.on(event, () => told.push(event));
  for (const event of ["reconnect", "reconnect_attempt"] as const) manager.on(event, (n) => told.push(`${event} ${n}`));
  manager.on("close", (reason) => told.push(`close ${reason}`));
}

async function letAllIn(connection: WireConnection): Promise<void> {
  connection.shakeHands();
  for (const namespace of NAMESPACES) {
    const path = namespace === "/" ? "" : `${namespace},`;
    await connection.has(`40${path}`);
    connection.send(`40${path}{"sid":"s${namespace}"}`);
  }
}

it("tells once of a connection, however many namespaces are on it", async () => {
  const { server } = world();
  const { told, sockets } = open();
  const first = await server.connection(1);
  await letAllIn(first);
  await expect.poll(() => sockets.every(({ connected }) => connected)).toBe(true);
  expect(told).toEqual(["open"]);

  first.close(1011);
  await letAllIn(await server.connection(2));
  await expect.poll(() => sockets.every(({ connected }) => connected)).toBe(true);
  expect(told.splice(0)).toEqual(["open", "close transport close", "reconnect_attempt 1", "open", "reconnect 1"]);

  sockets[0].disconnect();
  sockets[1].disconnect();
  expect(told).toEqual([]);
  sockets[2].disconnect();
  expect(told).toEqual(["close forced close"]);
});

it("tells each attempt once, its failure, and that no other is made", async () => {
  const { server } = world();
  const { told } = open({ reconnectionAttempts: 2 });
  await letAllIn(await server.connection(1));
  await expect.poll(() => told).toEqual(["open"]);
  server.stop();
  await expect.poll(() => told).toContain("reconnect_failed");
  expect(told.slice(1)).toEqual([
    "close transport close",
    ...["reconnect_attempt 1", "error", "reconnect_error"],
    ...["reconnect_attempt 2", "error", "reconnect_error"],
    "reconnect_failed",
  ]);
});

it("tells nothing of what one namespace refuses", async () => {
  const { server } = world();
  const { told, sockets } = open();
  const connection = (await server.connection(1)).shakeHands();
  await connection.has("40/a,");
  connection.send('40{"sid":"s1"}', '44/a,{"message":"no"}', '40/b,{"sid":"s2"}');
  await expect.poll(() => sockets.map(({ connected }) => connected)).toEqual([true, false, true]);
  expect(told).toEqual(["open"]);
});

it.each([true, false])(
  "a client that leaves and comes at once is there again, with reconnection %s",
  async (reconnection) => {
    const { server } = world();
    const { socket, told } = world().open("", { reconnection });
    await (await server.connection(1)).letIn();
    await expect.poll(() => socket.connected).toBe(true);
    socket.disconnect().connect();
    await (await server.connection(2)).letIn({}, "s2");
    await expect.poll(() => told).toEqual(["connect s1", "disconnect io client disconnect", "gap /", "connect s2"]);
  },
);
