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

const placeholder = (num: number) => ({ _placeholder: true, num });

it("sends bytes behind their event, numbered in their order", async () => {
  const { socket, connection } = await connected();
  socket.emit("baz", Uint8Array.of(1, 2), { inside: [Uint8Array.of(3).buffer] }, "end");
  const text = JSON.stringify(["baz", placeholder(0), { inside: [placeholder(1)] }, "end"]);
  await expect.poll(() => connection.packets).toEqual([`452-${text}`, Buffer.of(1, 2), Buffer.of(3)]);
});

it("puts the server's bytes where they belong, wherever a ping comes in between", async () => {
  const { socket, connection } = await connected();
  const heard: unknown[][] = [];
  socket.on("baz", (...args) => heard.push(args));
  connection.send(`452-["baz",${JSON.stringify(placeholder(1))},{"first":${JSON.stringify(placeholder(0))}}]`);
  connection.send(Uint8Array.of(1), "2", Uint8Array.of(2, 3));
  await expect.poll(() => heard).toHaveLength(1);
  const [second, { first }] = heard[0] as [ArrayBuffer, { first: ArrayBuffer }];
  expect([...new Uint8Array(first)]).toEqual([1]);
  expect([...new Uint8Array(second)]).toEqual([2, 3]);
  await connection.has("3");
});

it("asks for acknowledgements with bytes, and answers with them", async () => {
  const { socket, connection } = await connected();
  const answers: unknown[] = [];
  socket.emit("up", Uint8Array.of(7), (answer: unknown) => answers.push(answer));
  await expect.poll(() => connection.packets).toHaveLength(2);
  const id = /^451-(\d+)\[/.exec(String(connection.packets[0]))?.[1];
  connection.send(`461-${id}[${JSON.stringify(placeholder(0))}]`, Uint8Array.of(8, 9));
  await expect.poll(() => answers.map((answer) => [...new Uint8Array(answer as ArrayBuffer)])).toEqual([[8, 9]]);

  socket.on("down", (bytes, answer) => (answer as (bytes: unknown) => void)(bytes));
  connection.send(`451-4["down",${JSON.stringify(placeholder(0))}]`, Uint8Array.of(5));
  await connection.has(`461-4[${JSON.stringify(placeholder(0))}]`);
  expect(connection.frames.at(-1)).toEqual(Buffer.of(5));
});

it("takes empty attachments, and as many as a packet may have", async () => {
  const { socket, connection } = await connected();
  const heard: unknown[][] = [];
  socket.on("many", (...args) => heard.push(args));
  const places = Array.from({ length: 128 }, (_, num) => placeholder(num));
  connection.send(`45128-${JSON.stringify(["many", ...places])}`, ...places.map(() => new Uint8Array()));
  await expect.poll(() => heard.map((args) => args.length)).toEqual([128]);
  expect(heard[0]?.every((bytes) => (bytes as ArrayBuffer).byteLength === 0)).toBe(true);
});
