import type { Data } from "./envelope.js";
import { entry, type Origin, push } from "./memory.js";

/** A part of a conversation. */
export interface HistoryQuery {
  /** Only what is older than the message with this id. */
  readonly before?: string | null | undefined;
  /** Only what is newer than the message with this id. */
  readonly after?: string | null | undefined;
  /** Most messages. Default 50. The newest of those that fit; with `after`, the oldest. */
  readonly limit?: number | undefined;
}

/** Messages, oldest first. */
export interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly Data[];
  /** Whether more fit than these. */
  readonly hasMore: boolean;
}

/** What was written in rooms, and whose senders wait for news of it. */
export class Conversations {
  readonly #histories = new Map<string, Data[]>();
  readonly #origins = new Map<string, { readonly id: string; readonly origin: Origin }[]>();

  page(room: string, { before, after, limit = 50 }: HistoryQuery): HistoryPage {
    const all = this.#histories.get(room) ?? [];
    const at = (id: string) => all.findIndex((message) => message["id"] === id);
    const end = before == null || at(before) < 0 ? all.length : at(before);
    const start = after == null ? 0 : at(after) + 1;
    const fitting = all.slice(start, end);
    const messages = after == null ? fitting.slice(-limit) : fitting.slice(0, limit);
    return { messages, hasMore: messages.length < fitting.length };
  }

  remember(room: string, message: Data): void {
    const messages = entry(this.#histories, room, () => []);
    const at = messages.findIndex(({ id }) => id === message["id"]);
    if (at >= 0) messages[at] = message;
    else push(messages, message);
  }

  /** A message of a client that may be told more of it. */
  sent(room: string, id: string, origin: Origin): void {
    push(
      entry(this.#origins, room, () => []),
      { id, origin },
    );
  }

  /** The messages up to this one. */
  sentUpTo(room: string, messageId: string): readonly Origin[] {
    const origins = this.#origins.get(room) ?? [];
    const last = origins.map(({ id }) => id).lastIndexOf(messageId);
    return origins.slice(0, last + 1).map(({ origin }) => origin);
  }

  /** Nobody waits for news any more. */
  forgetSenders(): void {
    this.#origins.clear();
  }
}
