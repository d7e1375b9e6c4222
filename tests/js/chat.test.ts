import {
  type Chat,
  configureWebSocket,
  type EverwireError,
  type NativeSocketClient,
  nativeSocketClient,
} from "everwire";
import { type ChatOptions, chat } from "everwire/session";
import { validate } from "everwire/validate";
import { expect, it, vi } from "vitest";
import { z } from "zod";
import { makeClient, openClient, useStandIns } from "./harness/clients";
import { comeBack, welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const ME = { userId: "me" };

const shown = (chat: Chat): [content: string, status: unknown][] =>
  chat.getSnapshot().messages.map(({ content, status }) => [content, status]);

const stored = (id: number, senderId: string, more: object = {}): object => {
  const createdAt = new Date(Date.UTC(2026, 0, 1) + id * 1_000).toISOString();
  return { id: String(id), matchId: "m1", senderId, content: `message ${id}`, createdAt, readAt: null, ...more };
};

const received = (id: string, user_id: string, more: object = {}): { message: object } => {
  const timestamp = "2026-01-01T12:00:00.000Z";
  return { message: { id, content: `message ${id}`, role: "user", timestamp, session_id: "s1", user_id, ...more } };
};

const opened = (options: ChatOptions = ME): { client: NativeSocketClient; socket: StandInSocket; session: Chat } => {
  const { client, socket } = openClient({ chat: chat(options) });
  return { client, socket, session: client.session("s1") };
};

const flush = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => {});

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

it("the history comes once the server has surely seen the join, and earlier pages on demand", async () => {
  const loadEarlier = vi.fn(async ({ before }: { before: string | null }) => {
    const newest = before === null ? 5 : Number(before) - 1;
    return { messages: [stored(newest - 1, "ben"), stored(newest, "me")], hasMore: newest > 3 };
  });
  const { client, socket } = openClient({ chat: chat({ ...ME, loadEarlier, pageSize: 2 }) });
  const match = client.match("m1");
  match.join();
  await flush();
  expect(loadEarlier).not.toHaveBeenCalled();
  socket.says("pong", {});
  expect(match.getSnapshot().isLoading).toBe(false);
  await flush();
  expect(loadEarlier).toHaveBeenCalledWith({ id: "m1", kind: "match", before: null, limit: 2 });
  expect(shown(match)).toEqual([
    ["message 4", null],
    ["message 5", "sent"],
  ]);
  expect(match.getSnapshot().hasEarlier).toBe(true);
  await Promise.all([match.loadEarlier(), match.loadEarlier()]);
  expect(loadEarlier).toHaveBeenCalledTimes(2);
  expect(match.getSnapshot().messages.map(({ id }) => id)).toEqual(["2", "3", "4", "5"]);
  expect(match.getSnapshot().hasEarlier).toBe(false);
  await match.loadEarlier();
  expect(loadEarlier).toHaveBeenCalledTimes(2);
});

it("a page that cannot be had rejects, and can be asked for again", async () => {
  const loadEarlier = vi.fn(async ({ before }: { before: string | null }) => {
    if (before !== null) throw new Error("HTTP 503");
    return { messages: [stored(5, "ben")], hasMore: true };
  });
  const { client, socket } = openClient({ chat: chat({ ...ME, loadEarlier }) });
  const match = client.match("m1");
  match.join();
  socket.says("pong", {});
  await flush();
  await expect(match.loadEarlier()).rejects.toThrow("HTTP 503");
  expect(match.getSnapshot()).toMatchObject({ hasEarlier: true, isLoading: false, isComplete: true });
  await expect(match.loadEarlier()).rejects.toThrow("HTTP 503");
});

it.each([
  undefined,
  { messages: "none", hasMore: false },
  { messages: [], next_before: null },
  { messages: [], hasMore: "no" },
])("a page that is none has failed, and is asked for again: %j", async (page) => {
  const loadEarlier = vi.fn().mockResolvedValueOnce(page).mockResolvedValue({ messages: [], hasMore: false });
  const { client, socket } = openClient({ chat: chat({ ...ME, loadEarlier }) });
  const match = client.match("m1");
  match.join();
  socket.says("pong", {});
  await vi.advanceTimersByTimeAsync(0);
  const error = { code: "load_failed", message: "a page must be { messages: [], hasMore }" };
  expect(match.getSnapshot()).toMatchObject({ isLoading: false, error });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(match.getSnapshot()).toMatchObject({ isLoading: false, error: null, hasEarlier: false });
});

it("the first page is fetched at once where the user asks for it after an error", async () => {
  const loadEarlier = vi.fn(async () => ({ messages: [stored(1, "ben")], hasMore: false }));
  loadEarlier.mockRejectedValueOnce(new Error("HTTP 503")).mockRejectedValueOnce(new Error("HTTP 502"));
  const { client, socket } = openClient({ chat: chat({ ...ME, loadEarlier }) });
  const match = client.match("m1");
  match.join();
  socket.says("pong", {});
  await flush();
  await expect(match.loadEarlier()).rejects.toThrow("HTTP 502");
  await match.loadEarlier();
  expect(shown(match)).toEqual([["message 1", null]]);
  expect(loadEarlier).toHaveBeenCalledTimes(3);
});

it("at most once, what was missed is fetched after every connection, again and again until it can be had", async () => {
  let answers = 0;
  const loadMissed = vi.fn(async () => {
    answers += 1;
    if (answers === 1) throw new Error("HTTP 503");
    return { messages: [stored(1, "ben"), stored(2, "ben")], hasMore: false };
  });
  const { client, socket } = openClient({ chat: chat({ ...ME, loadMissed }), reconnect: { jitter: 0 } });
  const match = client.match("m1");
  match.join();
  socket.says("new_message", stored(1, "ben"));
  socket.says("new_message", stored(3, "ben"));
  const lost = match.send("lost");
  expect(loadMissed).not.toHaveBeenCalled();
  socket.ends();
  vi.advanceTimersByTime(5_000);
  StandInSocket.newest.opens();
  expect(match.getSnapshot().isComplete).toBe(false);
  StandInSocket.newest.says("pong", {});
  await flush();
  expect(loadMissed).toHaveBeenCalledWith({ id: "m1", kind: "match", after: "3", limit: 50 });
  expect(match.getSnapshot()).toMatchObject({ isComplete: false, error: { message: "HTTP 503", code: "load_failed" } });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(match.getSnapshot()).toMatchObject({ isComplete: true, error: null });
  expect(shown(match).map(([content]) => content)).toEqual(["message 1", "message 2", "message 3", "lost"]);
  // The history does not have it, so the connection has taken it away.
  expect(match.getSnapshot().messages.at(-1)).toMatchObject({
    id: lost,
    status: "failed",
    error: { code: "unconfirmed" },
  });
});

it("in the reliable mode the history is fetched when the server has taken the join, however many pings it answers before", async () => {
  const loadEarlier = vi.fn(async () => ({ messages: [], hasMore: false }));
  const { client, socket } = welcomedClient({ chat: chat({ ...ME, loadEarlier }) });
  client.match("m1").join();
  for (let pongs = 0; pongs < 4; pongs++) socket.says("pong", {});
  await vi.advanceTimersByTimeAsync(0);
  expect(loadEarlier).not.toHaveBeenCalled();
  socket.says("ack", { seq: 1 });
  await vi.advanceTimersByTimeAsync(0);
  expect(loadEarlier).toHaveBeenCalledTimes(1);
});

it("what a connection answers that is being closed makes no history whole", async () => {
  const loadEarlier = vi.fn(async () => ({ messages: [], hasMore: false }));
  const { client, socket } = welcomedClient({ chat: chat({ ...ME, loadEarlier }) });
  client.match("m1").join();
  socket.says("ack", { seq: 1 });
  client.disconnect();
  for (let pongs = 0; pongs < 4; pongs++) socket.says("pong", {});
  socket.says("session_members", { session_id: "m1", members: [] });
  await vi.advanceTimersByTimeAsync(0);
  expect(loadEarlier).not.toHaveBeenCalled();
});

it("in the reliable mode nothing is fetched but what is named as missing", async () => {
  const loadMissed = vi.fn(async () => ({ messages: [], hasMore: false }));
  const { client, socket } = welcomedClient({ chat: chat({ ...ME, loadMissed }) });
  const match = client.match("m1");
  match.join();
  socket.says("ack", { seq: 1 });
  socket.says("notification", {}, { stream: "user", offset: 5 });
  comeBack({ streams: { user: 5 } });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(loadMissed).not.toHaveBeenCalled();
  expect(match.getSnapshot().isComplete).toBe(true);
  comeBack({ streams: { user: 9 } });
  expect(match.getSnapshot().isComplete).toBe(false);
  // The first pong is that of the hello, which came before the join.
  await flush();
  expect(loadMissed).not.toHaveBeenCalled();
  StandInSocket.newest.says("pong", {});
  await flush();
  expect(loadMissed).toHaveBeenCalledTimes(1);
  expect(match.getSnapshot().isComplete).toBe(true);
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

it("a page may be fetched again while one of before a logout is still under way", async () => {
  const answers: ((page: { messages: unknown[]; hasMore: boolean }) => void)[] = [];
  const loadEarlier = vi.fn(() => new Promise<never>((resolve) => answers.push(resolve as never)));
  const { client, session, socket } = opened({ ...ME, loadEarlier });
  session.join();
  socket.says("pong", {});
  await vi.advanceTimersByTimeAsync(3_000);
  expect(answers.length).toBe(1);
  await client.logout();
  client.connect();
  StandInSocket.newest.opens();
  StandInSocket.newest.says("pong", {});
  await vi.advanceTimersByTimeAsync(3_000);
  expect(answers.length).toBe(2);
  answers[0]?.({ messages: [received("old", "ben").message], hasMore: false });
  await flush();
  expect(shown(session)).toEqual([]);
  const loaded = session.loadEarlier().then(() => shown(session));
  await flush();
  answers[1]?.({ messages: [received("new", "ben").message], hasMore: false });
  expect(await loaded).toEqual([["message new", null]]);
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

it("a clock that is set back keeps nothing waiting", async () => {
  const loadMissed = vi.fn(() => Promise.reject(new Error("503")));
  const { session, socket } = opened({ ...ME, loadMissed });
  session.join();
  socket.ends();
  vi.advanceTimersByTime(5_000);
  StandInSocket.newest.opens();
  StandInSocket.newest.says("pong", {});
  await flush();
  StandInSocket.newest.says("typing_indicator", { session_id: "s1", user_id: "ben", isTyping: true });
  expect(loadMissed).toHaveBeenCalledTimes(1);
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(loadMissed.mock.calls.length).toBeGreaterThan(2);
  expect(session.getSnapshot().typing).toEqual([]);
});
