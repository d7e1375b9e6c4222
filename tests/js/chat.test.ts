import { configureWebSocket, type EverwireError, nativeSocketClient } from "everwire";
import { chat } from "everwire/session";
import { validate } from "everwire/validate";
import { expect, it, vi } from "vitest";
import { z } from "zod";
import { flush, ME, opened, received, shown, stored } from "./harness/chats";
import { makeClient, openClient, useStandIns } from "./harness/clients";
import { welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

it("a client without the option says what to pass", () => {
  const client = makeClient();
  const code = (act: () => unknown): unknown => {
    try {
      return act();
    } catch (error) {
      return (error as EverwireError).code;
    }
  };
  expect(code(() => client.session("s1"))).toBe("not_configured");
  expect(code(() => client.match("m1"))).toBe("not_configured");
  expect(code(() => makeClient({ chat: chat() }).session(""))).toBe("invalid_data");
});

it("a bound that is none is refused", () => {
  expect(() => chat({ maxMessages: 0 })).toThrow(RangeError);
  expect(() => chat({ pageSize: 1.5 })).toThrow(RangeError);
});

it("a conversation is joined with its first user and left a macrotask after its last", () => {
  const { client, socket, session } = opened();
  expect(client.session("s1")).toBe(session);
  expect(client.match("s1")).not.toBe(session);
  expect(socket.types).not.toContain("join_session");
  const first = session.subscribe(() => {});
  const second = session.join();
  first();
  first();
  vi.advanceTimersByTime(10);
  second();
  // A component that is mounted again at once.
  const third = session.join();
  vi.advanceTimersByTime(10);
  expect(socket.types.filter((type) => type.includes("session"))).toEqual(["join_session"]);
  third();
  expect(socket.types).not.toContain("leave_session");
  vi.advanceTimersByTime(0);
  expect(socket.frames.at(-1)).toMatchObject({ type: "leave_session", data: { session_id: "s1" } });
});

it("a conversation that was left begins anew, also for who has kept it", () => {
  const { client, socket, session } = opened();
  const release = session.join();
  socket.says("message_received", received("1", "ben"));
  expect(shown(session)).toEqual([["message 1", null]]);
  release();
  vi.advanceTimersByTime(0);
  expect(shown(session)).toEqual([]);
  client.session("s1").join();
  session.subscribe(() => {});
  socket.says("message_received", received("2", "ben"));
  expect(shown(session)).toEqual([["message 2", null]]);
});

it("who has kept a conversation that 100 others have displaced hears beside those for whom it was made anew", () => {
  const { client, socket, session } = opened();
  for (let n = 0; n < 150; n++) client.session(`other ${n}`);
  const another = client.session("s1");
  expect(another).not.toBe(session);
  for (const chat of [another, session]) chat.subscribe(() => {});
  socket.says("message_received", received("1", "ben"));
  for (const chat of [another, session]) expect(shown(chat)).toEqual([["message 1", null]]);
});

it("what was left with a message on its way is forgotten once that has arrived", () => {
  const { client, socket } = welcomedClient({ chat: chat(ME) });
  const session = client.session("s1");
  const release = session.join();
  session.send("hello");
  const { seq } = socket.frames.at(-1) as unknown as { seq: number };
  release();
  vi.advanceTimersByTime(0);
  expect(shown(session)).toEqual([["hello", "sending"]]);
  socket.says("ack", { seq });
  expect(shown(session)).toEqual([]);
});

it("a match has no event to leave it, and is not heard any more", () => {
  const { client, socket } = openClient({ chat: chat(ME) });
  const match = client.match("m1");
  const release = match.join();
  release();
  vi.advanceTimersByTime(0);
  expect(socket.types).toEqual(["join_match"]);
  socket.says("new_message", stored(1, "ben"));
  expect(match.getSnapshot().messages).toEqual([]);
});

it("it is joined again on every connection before anything that waits", () => {
  const { socket, session } = opened();
  session.join();
  socket.ends();
  session.send("while away");
  expect(shown(session)).toEqual([["while away", "sending"]]);
  vi.advanceTimersByTime(5_000);
  StandInSocket.newest.opens();
  expect(StandInSocket.newest.types.slice(0, 2)).toEqual(["join_session", "message_sent"]);
  expect(shown(session)).toEqual([["while away", "sent"]]);
});

it("a snapshot and its parts stay the same until they change", () => {
  const { socket, session } = opened();
  const listener = vi.fn();
  session.subscribe(listener);
  socket.says("message_received", received("1", "ben"));
  socket.says("session_members", { session_id: "s1", members: [{ user_id: "ben", online: true }] });
  const before = session.getSnapshot();
  const heard = listener.mock.calls.length;
  socket.says("message_received", received("1", "ben"));
  socket.says("session_members", { session_id: "s1", members: [{ user_id: "ben", online: true }] });
  socket.says("notification", { text: "something else" });
  socket.says("message_received", received("2", "ben", { session_id: "s2" }));
  expect(session.getSnapshot()).toBe(before);
  expect(listener).toHaveBeenCalledTimes(heard);
  socket.says("message_received", received("2", "ben"));
  const after = session.getSnapshot();
  expect(after.messages.map(({ id }) => id)).toEqual(["1", "2"]);
  expect(after.messages[0]).toBe(before.messages[0]);
  expect(after.members).toBe(before.members);
});

it("a listener that throws stops nobody", () => {
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  const { socket, session } = opened();
  const listener = vi.fn();
  session.subscribe(() => {
    throw new Error("mine");
  });
  session.subscribe(listener);
  socket.says("message_received", received("1", "ben"));
  expect(listener).toHaveBeenCalledTimes(1);
  expect(reported).toHaveBeenCalledTimes(1);
});

it("typing is announced and heard, and ends by itself", () => {
  const { socket, session } = opened();
  session.join();
  session.setTyping(true);
  vi.advanceTimersByTime(5_000);
  expect(socket.frames.filter(({ type }) => type === "user_typing").map(({ data }) => data["isTyping"])).toEqual([
    true,
    false,
  ]);
  socket.says("typing_indicator", { session_id: "s1", user_id: "ben", isTyping: true });
  socket.says("typing_indicator", { session_id: "s1", user_id: "me", isTyping: true });
  expect(session.getSnapshot().typing).toEqual(["ben"]);
  vi.advanceTimersByTime(3_000);
  expect(session.getSnapshot().typing).toEqual([]);
});

it("the user is known from what the server says", () => {
  const { client, socket } = openClient({ chat: chat() });
  const session = client.session("s1");
  session.join();
  socket.says("message_received", received("1", "me"));
  expect(session.getSnapshot().messages[0]).toMatchObject({ isOwn: false, status: null });
  socket.says("connected", { user_id: "me" });
  expect(session.getSnapshot().messages[0]).toMatchObject({ isOwn: true, status: "sent" });
});

it("after logging out nothing of it is left, and who still uses it begins anew", async () => {
  const { client, session } = opened();
  session.join();
  session.send("secret");
  await client.logout();
  expect(session.getSnapshot().messages).toEqual([]);
  client.connect();
  StandInSocket.newest.opens();
  expect(StandInSocket.newest.types).toEqual(["join_session"]);
});

it("who has logged in after somebody else writes as themselves, before the connection is open as well", async () => {
  let userId: string | undefined = "ada";
  const { client, session } = opened({ userId: () => userId });
  session.join();
  await client.logout();
  userId = "eve";
  client.connect();
  session.send("Hello");
  expect(session.getSnapshot().messages).toMatchObject([{ senderId: null, isOwn: true }]);
  StandInSocket.newest.opens();
  expect(session.getSnapshot().messages).toMatchObject([{ senderId: "eve", isOwn: true }]);
});

it("a user's own handlers of errors and their reports stay as they are", () => {
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  const { client, socket, session } = opened();
  session.join();
  client.on("notification", () => {
    throw new Error("mine");
  });
  socket.says("notification", {});
  expect(reported).toHaveBeenCalledTimes(1);
});

it("the page's one client has conversations too", () => {
  configureWebSocket({ url: "http://server.test", chat: chat(ME) });
  const { session } = nativeSocketClient;
  expect(session("s1")).toBe(nativeSocketClient.session("s1"));
  nativeSocketClient.dispose();
});

it("what schemas make of events is for handlers: a conversation reads what the server has said", () => {
  const schemas = { new_message: z.object({ createdAt: z.coerce.date(), id: z.coerce.bigint() }) };
  const { client, socket } = openClient({ chat: chat(ME), schemas: validate(schemas) });
  const match = client.match("m1");
  match.join();
  const heard: unknown[] = [];
  client.on("new_message", (data) => heard.push(data));
  socket.says("new_message", stored(1, "ben"));
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, 1));
  expect(heard).toEqual([{ createdAt, id: 1n }]);
  expect(match.getSnapshot().messages).toMatchObject([{ id: "1", senderId: "ben", at: createdAt.getTime() }]);
});

it("an event that does not fit its schema is not in the conversation either", () => {
  const schemas = { new_message: z.object({ content: z.string().max(3) }) };
  const { client, socket } = openClient({ chat: chat(ME), schemas: validate(schemas) });
  const match = client.match("m1");
  match.join();
  socket.says("new_message", stored(1, "ben"));
  expect(match.getSnapshot().messages).toEqual([]);
});

it("a function of the application that throws who the user is keeps nobody from hearing of the connection", () => {
  const reported = vi.spyOn(console, "error").mockImplementation(() => {});
  const failure = new Error("no user");
  const { client, socket } = openClient({
    chat: chat({
      userId: () => {
        throw failure;
      },
    }),
  });
  const session = client.session("s1");
  session.join();
  let opened = 0;
  client.on("open", () => opened++);
  socket.ends();
  vi.advanceTimersByTime(5_000);
  StandInSocket.newest.opens();
  expect(opened).toBe(1);
  StandInSocket.newest.says("message_received", received("1", "ben"));
  expect(shown(session)).toEqual([["message 1", null]]);
  expect(reported).toHaveBeenCalledWith(failure);
});

it("a conversation whose client is disposed of has no alarm, and nothing throws", async () => {
  const loadMissed = vi.fn(() => Promise.reject(new Error("503")));
  const { client, session, socket } = opened({ ...ME, loadMissed, loadEarlier: loadMissed });
  const release = session.join();
  socket.says("pong", { timestamp: "2026-01-01T00:00:00.000Z" });
  socket.says("typing_indicator", { session_id: "s1", user_id: "ben", isTyping: true });
  session.keyPressed();
  await flush();
  client.dispose();
  session.send("too late");
  expect(shown(session)).toEqual([["too late", "failed"]]);
  release();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(vi.getTimerCount()).toBe(0);
});

it("typing of others that is to be believed for long does not keep the page busy", async () => {
  const typingRule = { debounceMs: 0, repeatMs: 1_000, stopMs: 1_000, clearMs: 2 ** 33 };
  const { session, socket } = opened({ ...ME, typingRule });
  session.join();
  const alarms = vi.spyOn(globalThis, "setTimeout");
  socket.says("typing_indicator", { session_id: "s1", user_id: "ben", isTyping: true });
  expect(alarms.mock.calls.map(([, delayMs]) => delayMs)).toEqual([2 ** 31 - 1]);
  expect(session.getSnapshot().typing).toEqual(["ben"]);
});
