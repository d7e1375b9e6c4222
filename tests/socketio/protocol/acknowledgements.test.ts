import { expect, it } from "vitest";
import { useWorld } from "./world";

const world = useWorld();

async function connected() {
  const { server, open } = world();
  const client = open();
  const connection = await (await server.connection(1)).letIn();
  await expect.poll(() => client.socket.connected).toBe(true);
  return { ...client, server, connection };
}

/** The id by which the client's last event wants to be acknowledged. */
const idOf = (frame: unknown): string => /^4[25](?:\d+-)?(\d+)\[/.exec(String(frame))?.[1] ?? "none";

it("gives an acknowledgement to the event that asked for it, all of its arguments", async () => {
  const { socket, connection, told } = await connected();
  socket.emit("one", 1, (...args: unknown[]) => told.push(`one ${JSON.stringify(args)}`));
  socket.emit("two", (...args: unknown[]) => told.push(`two ${JSON.stringify(args)}`));
  socket.emit("three");
  await connection.has('42["three"]');
  const [one, two] = connection.packets.map(idOf);
  expect(one).not.toBe(two);
  connection.send(`43${two}[]`, `43${one}["a",{"b":[1]}]`);
  await expect.poll(() => told.slice(1)).toEqual(["two []", 'one ["a",{"b":[1]}]']);
});

it("acknowledges an event of the server once, however often the application does", async () => {
  const { socket, connection } = await connected();
  socket.on("question", (n, answer) => {
    (answer as (n: number) => void)(Number(n) * 2);
    (answer as (n: number) => void)(0);
  });
  connection.send('4213["question",21]');
  await connection.has("4313[42]");
  socket.emit("after");
  await connection.has('42["after"]');
  expect(connection.packets).toEqual(["4313[42]", '42["after"]']);
});

it("takes an acknowledgement once, and one that nobody waits for means nothing", async () => {
  const { socket, connection, told } = await connected();
  socket.on("after", () => told.push("after"));
  socket.emit("one", () => told.push("acknowledged"));
  await expect.poll(() => connection.packets).toHaveLength(1);
  const id = idOf(connection.packets[0]);
  connection.send(`43${id}[]`, `43${id}[]`, "439007199254740991[]", '42["after"]');
  await expect.poll(() => told).toContain("after");
  expect(told.filter((line) => !line.startsWith("bad_frame"))).toEqual(["connect s1", "acknowledged", "after"]);
});

it("fails an event whose acknowledgement does not come in time, and takes no later one", async () => {
  const { socket, connection, told } = await connected();
  socket.on("after", () => told.push("after"));
  socket.timeout(100).emit("slow", (error: unknown) => told.push(error instanceof Error ? "failed" : "acknowledged"));
  await expect.poll(() => told).toContain("failed");
  connection.send(`43${idOf(connection.packets[0])}[]`, '42["after"]');
  await expect.poll(() => told).toContain("after");
  expect(told).not.toContain("acknowledged");
  await expect(socket.timeout(50).emitWithAck("slow")).rejects.toThrow("timed out");
});

it("fails what a connection did not acknowledge before it ended, and answers nothing on the next", async () => {
  const { server, socket, connection } = await connected();
  const answer = socket.emitWithAck("slow");
  let late: unknown;
  socket.on("question", (_, acknowledge) => {
    late = acknowledge;
  });
  connection.send('425["question",1]');
  await expect.poll(() => late).toBeDefined();
  connection.close(1011);
  await expect(answer).rejects.toThrow("disconnected");
  const next = await (await server.connection(2)).letIn({}, "s2");
  await expect.poll(() => socket.id).toBe("s2");
  (late as () => void)();
  socket.emit("after");
  await next.has('42["after"]');
  expect(next.packets).toEqual(['42["after"]']);
});

it("resolves with the first argument of an acknowledgement", async () => {
  const { socket, connection } = await connected();
  const answer = socket.emitWithAck("question", 1);
  await expect.poll(() => connection.packets).toHaveLength(1);
  connection.send(`43${idOf(connection.packets[0])}["a","b"]`);
  expect(await answer).toBe("a");
});
