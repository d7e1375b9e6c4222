import { matchTyping, sessionTyping } from "everwire/session";
import { expect, it, vi } from "vitest";
import { openClient, useStandIns } from "./harness/clients";

useStandIns();

it("a session of MasterX is told of the user's typing, and of nobody else's", () => {
  const { client, socket } = openClient();
  const typing = sessionTyping(client, "s1", { userId: "me" });
  typing.keyPressed();
  vi.advanceTimersByTime(2_000);
  const said = socket.frames.filter(({ type }) => type === "user_typing").map(({ data }) => data);
  expect(said).toEqual([
    { session_id: "s1", isTyping: true },
    { session_id: "s1", isTyping: false },
  ]);
  socket.says("typing_indicator", { user_id: "me", session_id: "s1", isTyping: true });
  socket.says("typing_indicator", { user_id: "cem", session_id: "s2", isTyping: true });
  socket.says("typing_indicator", { user_id: "ada", session_id: "s1", isTyping: true });
  socket.says("typing_indicator", { user_id: "ben", isTyping: true });
  expect(typing.getSnapshot()).toEqual(["ada", "ben"]);
  socket.says("typing_indicator", { user_id: "ben", session_id: "s1", isTyping: false });
  const message = { id: "m", content: "hi", role: "user", timestamp: "2026-01-01T12:00:00.000Z" };
  socket.says("message_received", { message });
  socket.says("message_received", { message: { ...message, user_id: "ada", session_id: "s2" } });
  expect(typing.getSnapshot()).toEqual(["ada"]);
  socket.says("message_received", { message: { ...message, user_id: "ada", session_id: "s1" } });
  expect(typing.getSnapshot()).toEqual([]);
});

it("a match of CoLabMatch is told of the user's typing, and of nobody else's", () => {
  const { client, socket } = openClient();
  const typing = matchTyping(client, "m1", { userId: "me" });
  typing.keyPressed();
  typing.stopped();
  const said = socket.frames.filter(({ type }) => type === "typing").map(({ data }) => data);
  expect(said).toEqual([
    { match_id: "m1", is_typing: true },
    { match_id: "m1", is_typing: false },
  ]);
  socket.says("user_typing", { match_id: "m1", user_id: "me" });
  socket.says("user_typing", { match_id: "m2", user_id: "ada" });
  expect(typing.getSnapshot()).toEqual([]);
  socket.says("user_typing", { match_id: "m1", user_id: "ada" });
  socket.says("typing_stopped", { match_id: "m2", user_id: "ada" });
  expect(typing.getSnapshot()).toEqual(["ada"]);
  socket.says("typing_stopped", { match_id: "m1", user_id: "ada" });
  socket.says("user_typing", { match_id: "m1", user_id: "ben" });
  socket.says("new_message", { matchId: "m1", senderId: "ben", id: "1", content: "hi", createdAt: "", readAt: null });
  expect(typing.getSnapshot()).toEqual([]);
});

it("disposing says that the user has stopped, and hears nothing more", () => {
  const { client, socket } = openClient();
  const typing = matchTyping(client, "m1");
  const listener = vi.fn();
  typing.keyPressed();
  socket.says("user_typing", { match_id: "m1", user_id: "ada" });
  typing.subscribe(listener);
  typing.dispose();
  expect(socket.frames.at(-1)).toMatchObject({ type: "typing", data: { is_typing: false } });
  expect(listener).toHaveBeenCalledTimes(1);
  socket.says("user_typing", { match_id: "m1", user_id: "ada" });
  expect(typing.getSnapshot()).toEqual([]);
});

it("without a connection nothing is kept to be said later", () => {
  const { client, socket } = openClient();
  const typing = matchTyping(client, "m1");
  client.disconnect();
  socket.ends(1000);
  typing.keyPressed();
  vi.advanceTimersByTime(500);
  typing.stopped();
  expect(client.getSnapshot().queued).toBe(0);
  typing.dispose();
});
