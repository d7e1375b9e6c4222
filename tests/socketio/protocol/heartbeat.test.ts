import { expect, it } from "vitest";
import { useWorld } from "./world";

const world = useWorld();

it("answers every ping at once, and asks nothing itself", async () => {
  const { server, open } = world();
  const { socket } = open();
  const connection = await (await server.connection(1)).letIn();
  await expect.poll(() => socket.connected).toBe(true);
  connection.send("2", "2", "2more");
  await expect.poll(() => connection.frames.filter((frame) => frame === "3")).toHaveLength(3);
  expect(connection.frames).not.toContain("2");
});

it("takes a connection for dead on which no ping comes in time, and makes another", async () => {
  const { server, open } = world();
  const { socket, told } = open();
  await (await server.connection(1)).letIn({ pingInterval: 100, pingTimeout: 100 });
  await expect.poll(() => told).toEqual(["connect s1", "disconnect ping timeout"]);
  await (await server.connection(2)).letIn({}, "s2");
  await expect.poll(() => socket.id).toBe("s2");
});

it("stays for as long as pings come", async () => {
  const { server, open } = world();
  const { told } = open();
  const connection = await (await server.connection(1)).letIn({ pingInterval: 100, pingTimeout: 100 });
  for (let ping = 1; ping <= 5; ping++) {
    connection.send("2");
    await expect.poll(() => connection.frames.filter((frame) => frame === "3")).toHaveLength(ping);
  }
  expect(told).toEqual(["connect s1"]);
});

it("passes over what means nothing: noops and pongs", async () => {
  const { server, open } = world();
  const { socket, told } = open();
  socket.on("after", () => told.push("after"));
  (await (await server.connection(1)).letIn()).send("6", "3", '42["after"]');
  await expect.poll(() => told).toEqual(["connect s1", "after"]);
});

it.each([
  ["the packet `close`", (connection: { send(frame: string): unknown }) => connection.send("1")],
  ["a close frame", (connection: { close(code: number): unknown }) => connection.close(1011)],
])("comes back after %s", async (_, end) => {
  const { server, open } = world();
  const { told } = open();
  end(await (await server.connection(1)).letIn());
  await expect.poll(() => told).toEqual(["connect s1", "disconnect transport close"]);
  await server.connection(2);
});
