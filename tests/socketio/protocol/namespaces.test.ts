import { expect, it } from "vitest";
import { useWorld } from "./world";

const world = useWorld();

it("asks for a namespace by the path of the URL, and speaks in it", async () => {
  const { server, open } = world();
  const { socket, told } = open("/admin", { auth: { token: "t" } });
  socket.on("hello", (n) => told.push(`hello ${n}`));
  const connection = await server.connection(1);
  connection.shakeHands();
  await connection.has('40/admin,{"token":"t"}');
  connection.send('40/admin,{"sid":"s1"}', '42/admin,["hello",1]');
  await expect.poll(() => told).toEqual(["connect s1", "hello 1"]);
  socket.emit("hi", 2);
  await connection.has('42/admin,["hi",2]');
});

it("leaves the namespace before it goes", async () => {
  const { server, open } = world();
  const { socket, told } = open("/admin");
  const connection = await (await server.connection(1)).letIn({}, "s1", "/admin,");
  await expect.poll(() => socket.connected).toBe(true);
  socket.disconnect();
  await expect.poll(() => connection.closedWith).toBe(1000);
  expect(connection.packets).toEqual(["41/admin,"]);
  expect(told).toEqual(["connect s1", "disconnect io client disconnect"]);
});

it("goes when the server puts it out, and does not come back by itself", async () => {
  const { server, open } = world();
  const { socket, told } = open();
  const connection = await (await server.connection(1)).letIn();
  connection.send("41");
  await expect.poll(() => told).toEqual(["connect s1", "disconnect io server disconnect"]);
  await expect.poll(() => connection.closedWith).toBeDefined();
  expect(socket.active).toBe(false);
  socket.connect();
  await (await server.connection(2)).letIn({}, "s2");
  await expect.poll(() => socket.id).toBe("s2");
});

it("reports what comes for a namespace that it never asked for, and stays", async () => {
  const { server, open } = world();
  const { socket, told } = open();
  socket.on("mine", () => told.push("mine"));
  (await (await server.connection(1)).letIn()).send('42/other,["mine"]', '42["mine"]');
  await expect.poll(() => told).toContain("mine");
  expect(told).toEqual(["connect s1", expect.stringMatching(/^bad_frame .*foreign_namespace/), "mine"]);
});
