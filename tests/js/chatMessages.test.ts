import { chat } from "everwire/session";
import { expect, it, vi } from "vitest";
import { flush, ME, opened, shown, stored } from "./harness/chats";
import { openClient, useStandIns } from "./harness/clients";
import { welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

it("a message is sending until the server has acknowledged it, and then moves on", () => {
  const { client, socket } = welcomedClient({ chat: chat(ME) });
  const session = client.session("s1");
  session.join();
  const id = session.send("hello", { mood: "good", id: "not this" });
  expect(socket.frames.at(-1)).toMatchObject({
    type: "message_sent",
    data: { session_id: "s1", message: { id, content: "hello", mood: "good" } },
  });
  const { seq } = socket.frames.at(-1) as unknown as { seq: number };
  expect(shown(session)).toEqual([["hello", "sending"]]);
  socket.says("ack", { seq });
  expect(shown(session)).toEqual([["hello", "sent"]]);
  socket.says("receipt", { seq, status: "read" });
  socket.says("receipt", { seq, status: "delivered" });
  expect(shown(session)).toEqual([["hello", "read"]]);
});

it("a refused message has failed, says why, and can be sent again or taken out", async () => {
  const { client, socket } = welcomedClient({ chat: chat(ME) });
  const session = client.session("s1");
  session.join();
  const id = session.send("hello");
  const seqOf = (): number => (socket.frames.at(-1) as unknown as { seq: number }).seq;
  socket.says("error", { seq: seqOf(), message: "join the session first", code: "not_joined", about: "message_sent" });
  await flush();
  const [failed] = session.getSnapshot().messages;
  expect(failed).toMatchObject({ id, status: "failed", error: { code: "refused" } });
  expect(session.getSnapshot().error).toEqual({ message: "join the session first", code: "not_joined" });
  session.retry(id);
  expect(shown(session)).toEqual([["hello", "sending"]]);
  expect(socket.frames.at(-1)).toMatchObject({ type: "message_sent", data: { message: { id, content: "hello" } } });
  session.discard(id);
  expect(shown(session)).toEqual([["hello", "sending"]]);
  socket.says("ack", { seq: seqOf() });
  expect(shown(session)).toEqual([["hello", "sent"]]);
});

it("what cannot be sent has failed at once", () => {
  const { session } = opened();
  session.join();
  const id = session.send("x".repeat(20_000));
  expect(session.getSnapshot().messages[0]).toMatchObject({ status: "failed", error: { code: "too_large" } });
  session.discard(id);
  expect(session.getSnapshot().messages).toEqual([]);
});

it("fields that cannot be read are not sent: their own exception is thrown, or the message has failed", () => {
  const { session } = opened();
  session.join();
  const unreadable = {
    get mood() {
      throw new Error("mine");
    },
  };
  expect(() => session.send("hello", unreadable)).toThrow("mine");
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(() => session.send("hello", proxy)).toThrow(TypeError);
  expect(session.getSnapshot().messages).toEqual([]);
  session.send("hello", { nested: unreadable });
  session.send("hello", null as never);
  expect(shown(session)).toEqual([
    ["hello", "failed"],
    ["hello", "sent"],
  ]);
});

it("a read receipt that finds the queue full is told on the next connection", async () => {
  const { client, socket } = openClient({ chat: chat(ME), queue: { maxMessages: 1 } });
  const match = client.match("m1");
  match.join();
  socket.says("new_message", stored(1, "ben"));
  socket.ends();
  match.send("hello");
  match.markAsRead();
  await vi.advanceTimersByTimeAsync(10_000);
  StandInSocket.newest.opens();
  await flush();
  const receipts = StandInSocket.newest.frames.filter(({ type }) => type === "read_message");
  expect(receipts).toMatchObject([{ data: { match_id: "m1", message_id: "1" } }]);
});

it("reading tells the server once, and only forward", () => {
  const { client, socket } = openClient({ chat: chat(ME) });
  const match = client.match("m1");
  match.join();
  for (const id of [1, 2, 3]) socket.says("new_message", stored(id, "ben"));
  expect(match.getSnapshot().unread).toBe(3);
  match.markAsRead("2");
  expect(match.getSnapshot().unread).toBe(1);
  match.markAsRead("1");
  match.markAsRead();
  match.markAsRead();
  expect(match.getSnapshot().unread).toBe(0);
  expect(socket.frames.filter(({ type }) => type === "read_message").map(({ data }) => data)).toEqual([
    { match_id: "m1", message_id: "2" },
    { match_id: "m1", message_id: "3" },
  ]);
});

it("a conversation with messages that were not sent is there when its user comes back", () => {
  const { client, socket, session } = opened();
  const release = session.join();
  socket.ends();
  session.send("on its way");
  release();
  vi.advanceTimersByTime(5_000);
  expect(client.session("s1")).toBe(session);
  expect(shown(session)).toEqual([["on its way", "sending"]]);
});

it("a message that was not sent is not forgotten for other conversations that are looked at", async () => {
  const { client, session } = opened();
  const leave = session.join();
  session.send("x".repeat(20_000));
  leave();
  await vi.advanceTimersByTimeAsync(10);
  for (let n = 0; n < 150; n++) client.session(`other ${n}`);
  expect(client.session("s1").getSnapshot().messages).toMatchObject([{ status: "failed" }]);
});
