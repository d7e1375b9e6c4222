import type { NativeSocketClient, Options } from "everwire";
import { chat } from "everwire/session";
import { expect, it, vi } from "vitest";
import { useStandIns } from "./harness/clients";
import { comeBack, reliableClient, sentOn, welcome } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const settle = () => vi.advanceTimersByTimeAsync(50);

const makePage = (options?: Options): NativeSocketClient =>
  reliableClient({ chat: chat({ userId: "ada" }), ...options });

/** What a socket was told of memberships, in order. */
const memberships = (socket: StandInSocket): string[] =>
  socket.frames
    .filter(({ type }) => /^(join|leave)_/.test(type))
    .map(({ type, data }) => `${type} ${Object.values(data as object)}`);

/** Acknowledges everything that was sent, until nothing more comes. */
async function takeAll(socket: StandInSocket): Promise<void> {
  for (let taken: unknown; sentOn(socket).at(-1)?.[1] !== taken; await settle()) {
    taken = sentOn(socket).at(-1)?.[1];
    socket.says("ack", { seq: taken });
  }
}

it.each(["reject", "drop-oldest", "drop-newest"] as const)(
  "a conversation that finds the queue full is joined when there is room (%s)",
  async (overflow) => {
    const client = makePage({ queue: { maxMessages: 3, overflow } });
    if (overflow === "drop-oldest") client.session("late").join();
    for (let count = 0; count < 5; count++) client.send("note");
    if (overflow !== "drop-oldest") client.session("late").join();
    client.connect();
    const socket = welcome(StandInSocket.newest);
    await takeAll(socket);
    expect(memberships(socket)).toEqual(["join_session late"]);
    expect(memberships(comeBack({ last: Number(sentOn(socket).at(-1)?.[1]) }))).toEqual(["join_session late"]);
  },
);

it("a conversation that is left while the queue is full is left when there is room", async () => {
  const client = makePage({ queue: { maxMessages: 3 } });
  client.connect();
  const first = welcome(StandInSocket.newest);
  const release = client.session("gone").join();
  await takeAll(first);
  first.ends();
  for (let count = 0; count < 3; count++) client.send("note");
  release();
  await settle();
  await vi.advanceTimersByTimeAsync(5_000);
  const socket = welcome(StandInSocket.newest, { last: 1 });
  await takeAll(socket);
  expect(memberships(socket)).toEqual(["join_session gone", "leave_session gone"]);
  expect(memberships(comeBack({ last: Number(sentOn(socket).at(-1)?.[1]) }))).toEqual([]);
});

it("a conversation that was left meanwhile is not joined any more", async () => {
  const client = makePage({ queue: { maxMessages: 3 } });
  for (let count = 0; count < 3; count++) client.send("note");
  const release = client.session("brief").join();
  await settle();
  release();
  await settle();
  client.connect();
  const socket = welcome(StandInSocket.newest);
  await takeAll(socket);
  expect(memberships(socket).filter((told) => told.startsWith("join"))).toEqual([]);
});

it("one session more than a client can be in says so", async () => {
  const client = makePage();
  client.connect();
  const socket = welcome(StandInSocket.newest);
  for (let count = 0; count < 1_000; count++) client.session(`s${count}`).join();
  await takeAll(socket);
  const last = client.session("last");
  last.join();
  await settle();
  expect(last.getSnapshot().error).toMatchObject({ code: "too_many_sessions" });
});

it("a conversation that is used again after a hundred others is the one that everybody gets", () => {
  const client = makePage();
  const kept = client.session("kept");
  kept.join()();
  for (let count = 0; count < 120; count++) client.session(`other ${count}`).join()();
  expect(client.session("kept")).not.toBe(kept);
  kept.join();
  expect(client.session("kept")).toBe(kept);
});

it("a leave that waits for room is not told in the name of the next user", async () => {
  const client = makePage({ queue: { maxMessages: 3 } });
  client.connect();
  const first = welcome(StandInSocket.newest);
  const release = client.session("s1").join();
  await takeAll(first);
  first.ends();
  for (let count = 0; count < 3; count++) client.send("note");
  release();
  await settle();
  await client.logout();
  client.connect();
  const socket = welcome(StandInSocket.newest);
  await takeAll(socket);
  expect(memberships(socket)).toEqual([]);
});

it("a conversation that is used again and again while the queue is full is joined once", async () => {
  const client = makePage({ queue: { maxMessages: 3 } });
  for (let count = 0; count < 3; count++) client.send("note");
  for (let count = 0; count < 5; count++) {
    client.session("s1").join()();
    await settle();
  }
  client.session("s1").join();
  client.connect();
  const socket = welcome(StandInSocket.newest);
  await takeAll(socket);
  expect(memberships(socket).filter((told) => told.startsWith("join"))).toEqual(["join_session s1"]);
});
