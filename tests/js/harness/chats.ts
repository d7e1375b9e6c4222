import type { Chat, NativeSocketClient } from "everwire";
import { type ChatOptions, chat } from "everwire/session";
import { vi } from "vitest";
import { openClient } from "./clients";
import type { StandInSocket } from "./standInSocket";

export const ME = { userId: "me" };

/** What a conversation shows of each message. */
export const shown = (chat: Chat): [content: string, status: unknown][] =>
  chat.getSnapshot().messages.map(({ content, status }) => [content, status]);

/** A message of the match `m1`, as its server tells it. */
export const stored = (id: number, senderId: string, more: object = {}): object => {
  const createdAt = new Date(Date.UTC(2026, 0, 1) + id * 1_000).toISOString();
  return { id: String(id), matchId: "m1", senderId, content: `message ${id}`, createdAt, readAt: null, ...more };
};

/** A message of the session `s1`, as its server tells it. */
export const received = (id: string, user_id: string, more: object = {}): { message: object } => {
  const timestamp = "2026-01-01T12:00:00.000Z";
  return { message: { id, content: `message ${id}`, role: "user", timestamp, session_id: "s1", user_id, ...more } };
};

/** A client with an open connection, and its session `s1`, which nobody has joined. */
export const opened = (
  options: ChatOptions = ME,
): { client: NativeSocketClient; socket: StandInSocket; session: Chat } => {
  const { client, socket } = openClient({ chat: chat(options) });
  return { client, socket, session: client.session("s1") };
};

/** Waits for the promises that are settled. */
export const flush = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => {});
