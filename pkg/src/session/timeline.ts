import type { ChatMessage, ChatStatus } from "everwire";

/** A message, and what is known of it beside what is shown. */
export interface Entry {
  message: ChatMessage;
  /** The server's time, as far as it is known; infinite for what is under way, and what will still be told. */
  key: number;
  /** Orders messages of the same time: the server's id if it is a number. */
  rank: number;
  /** Orders the rest: in the order of arrival. */
  seq: number;
  /** Whether the server has shown it. */
  isStored: boolean;
  /** Whether it is all there; what is being written is not. */
  isWhole: boolean;
  /** Whether it was sent, and the server may not have it: at most once to a connection that has ended, or before a loss of memory. */
  isInDoubt: boolean;
  /** Whether it is from before the server lost its memory, and has not been shown since. */
  isStale: boolean;
  isRead: boolean;
}

/** The status of two that is further on. */
export function further(known: ChatStatus | null | undefined, status: ChatStatus): ChatStatus {
  return known && ORDER.indexOf(known) > ORDER.indexOf(status) ? known : status;
}

/** A message that nothing of this changes stays the same object. */
export function change(entry: Entry, news: Partial<ChatMessage>): void {
  const next = { ...entry.message, ...news };
  const names = Object.keys(news) as (keyof ChatMessage)[];
  if (names.some((name) => next[name] !== entry.message[name])) entry.message = next;
}

export function lastOf<T>(list: readonly T[], fits: (item: T) => boolean): T | undefined {
  return [...list].reverse().find(fits);
}

/** Reading a message reads all of its sender before it, unless the server says otherwise. */
export function readUpTo(entries: readonly Entry[], last: Entry, isUpTo = true, readAt?: string): void {
  for (const entry of isUpTo ? entries.slice(0, entries.indexOf(last) + 1) : [last]) {
    const { isOwn, status, data } = entry.message;
    if (isOwn !== last.message.isOwn) continue;
    entry.isRead = true;
    if (isOwn && (status === "sent" || status === "delivered")) change(entry, { status: "read" });
    if (readAt && data.readAt === null) change(entry, { data: { ...data, readAt } });
  }
}

const ORDER: readonly ChatStatus[] = ["failed", "sending", "sent", "delivered", "read"];
