import { expect, it } from "vitest";
import { useWorld } from "./world";

const world = useWorld();

const numberIn = (packet: string): unknown => JSON.parse(packet.slice(packet.indexOf("[")))[1];

it("sends again in order what nobody acknowledges, as often as it may and no oftener", async () => {
  const { server, open } = world();
  const { socket } = open("", { retries: 2, ackTimeout: 100 });
  const connection = await (await server.connection(1)).letIn();
  const failed: unknown[] = [];
  for (const n of [1, 2, 3]) socket.emit("say", n, (error: Error) => failed.push([n, error.message]));
  await expect.poll(() => failed.length).toBe(3);
  expect(failed).toEqual([1, 2, 3].map((n) => [n, "operation has timed out"]));
  expect(
    connection.packets
      .map(String)
      .filter((packet) => packet.includes('"say"'))
      .map(numberIn),
  ).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
});
