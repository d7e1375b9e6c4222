import { expect, it } from "vitest";
import { useWorld } from "./world";

const world = useWorld();

/** A client that was let into a session that can be recovered, and has heard an event of it. */
async function inSession() {
  const { server, open } = world();
  const client = open("", { auth: { token: "t" } });
  client.socket.on("number", (n) => client.told.push(`number ${n}`));
  const connection = await server.connection(1);
  connection.shakeHands();
  await connection.has('40{"token":"t"}');
  connection.send('40{"sid":"s1","pid":"p1"}', '42["number",1,"o1"]');
  await expect.poll(() => client.told).toEqual(["connect s1", "number 1"]);
  connection.close(1011);
  const next = await server.connection(2);
  next.shakeHands();
  await expect.poll(() => next.frames).toHaveLength(1);
  return { ...client, next };
}

it("asks for the session and what has come since, beside what it authenticates itself by", async () => {
  const { next } = await inSession();
  const claim = JSON.parse(String(next.frames[0]).slice(2));
  expect(claim).toEqual({ token: "t", pid: "p1", offset: "o1" });
});

it("hears what it has missed once and in order, after it is told that it is back", async () => {
  const { socket, told, next } = await inSession();
  next.send('42["number",2,"o2"]', '42["number",3,"o3"]', '40{"sid":"s1","pid":"p1"}', '42["number",4,"o4"]');
  await expect.poll(() => told).toContain("number 4");
  expect(told.slice(2)).toEqual(["disconnect transport close", "connect s1", "number 2", "number 3", "number 4"]);
  expect(socket.recovered).toBe(true);
});

it("says that something may be missing when the server has begun another session", async () => {
  const { socket, told, next } = await inSession();
  next.send('40{"sid":"s2","pid":"p2"}');
  await expect.poll(() => told).toContain("connect s2");
  expect(told).toContain("gap /");
  expect(socket.recovered).toBe(false);
});

it("keeps the session's secret to itself", async () => {
  const { socket, told, next } = await inSession();
  next.send('40{"sid":"s1","pid":"p1"}', "hello", '4{"p1"');
  await expect.poll(() => told.filter((line) => line.startsWith("bad_frame"))).toHaveLength(2);
  expect(`${told.join()} ${JSON.stringify(socket.getSnapshot())}`).not.toContain("p1");
});
