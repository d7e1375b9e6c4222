import { chat } from "everwire/session";
import { expect, it, vi } from "vitest";
import { flush, ME, opened, received, shown, stored } from "./harness/chats";
import { openClient, useStandIns } from "./harness/clients";
import { comeBack, welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

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
