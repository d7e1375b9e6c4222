import type { ChatFactory, ChatKind, Chats, InheritedMessages } from "everwire";
import { fieldsOf, textOf } from "./chatEvents.js";
import { type ChatStore, chatStore } from "./chatStore.js";
import type { TypingRule } from "./typing.js";

/** How conversations are kept. */
export interface ChatOptions {
  /**
   * Who this user is, or a function that says so and is asked at every connection. Default: what the server says in `connected`, or in the echo of this user's first
   * message. While it is not known, what the user has written on other devices counts as somebody else's.
   */
  readonly userId?: string | (() => string | undefined) | undefined;
  /**
   * Most messages of one conversation, a whole number from 1. Default 1 000. Beyond it the oldest are forgotten; `loadEarlier()` does not bring them back while
   * the list is full.
   */
  readonly maxMessages?: number | undefined;
  /** How many messages a page should have. Default 50. */
  readonly pageSize?: number | undefined;
  /**
   * Fetches the page before a message, the newest page if `before` is `null`. It is called when a conversation is first joined, by `Chat.loadEarlier()`, and, without
   * {@link loadMissed}, to find what was missed. When it rejects, the first page and what was missed are asked for again after 1, 2, 4, … 30 s while connected. Default: none, and a
   * conversation begins empty.
   */
  readonly loadEarlier?: ((request: EarlierRequest) => Promise<ChatPage>) | undefined;
  /**
   * Fetches what came after a message: after a connection was lost, at most once, and after a `gap` in the reliable mode. It is asked once the server has surely seen this
   * side join, and when it rejects again after 1, 2, 4, … 30 s while connected. What an outage took away of the receipts of older messages only {@link loadEarlier} brings.
   * Default: none; without {@link loadEarlier} either, `isComplete` stays `false` once something was lost.
   */
  readonly loadMissed?: ((request: MissedRequest) => Promise<ChatPage>) | undefined;
  /**
   * Whether joins and messages are sent as `durable`, with the limits that `SendOptions.durable` has. Default `false`. Needs the client's `outbox`, else every message fails
   * with `invalid_option`. Given that outbox itself, as `durableOutbox()` makes it, a conversation also shows what earlier pages have left in it, until it has arrived.
   */
  readonly durable?:
    | boolean
    | {
        /** What earlier pages have left, as an outbox has it. */
        readonly inherited: InheritedMessages;
      }
    | undefined;
  /** Default: `MASTERX_TYPING` in sessions, `COLABMATCH_TYPING` in matches. */
  readonly typingRule?: TypingRule | undefined;
}

/** Which page is wanted. */
export interface EarlierRequest {
  /** The session or match. */
  readonly id: string;
  /** Which of the two it is. */
  readonly kind: ChatKind;
  /** The server's id of the message that the page ends before; `null` asks for the newest page. */
  readonly before: string | null;
  /** How many messages the page should have at most. */
  readonly limit: number;
}

/** What was missed. */
export interface MissedRequest {
  /** The session or match. */
  readonly id: string;
  /** Which of the two it is. */
  readonly kind: ChatKind;
  /** The server's id of the newest message that is there; `null` if there was none, or the server has lost its memory. */
  readonly after: string | null;
  /** How many messages the page should have at most. */
  readonly limit: number;
}

/** A page of the history. */
export interface ChatPage {
  /** In any order, as the server tells them in `message_received` (its `message`) and `new_message`. Others are passed over. */
  readonly messages: readonly unknown[];
  /** Whether there are more: before these, or after those that were missed. A page without it has failed. */
  readonly hasMore: boolean;
}

/**
 * Makes `client.session(id)` and `client.match(id)` work:
 *
 * ```ts
 * const client = new NativeSocketClient({ chat: chat({ userId, loadEarlier }) });
 * const { getSnapshot, subscribe, send } = client.session("s1");
 * ```
 *
 * Throws a `RangeError` for a bound that is none.
 */
export function chat(options: ChatOptions = {}): ChatFactory {
  for (const name of ["maxMessages", "pageSize"] as const) {
    const value = options[name] ?? 1;
    if (!(Number.isSafeInteger(value) && value >= 1)) throw new RangeError(`\`${name}\` must be a whole number from 1`);
  }
  const { durable } = options;
  const inherited = typeof durable === "object" ? durable.inherited : undefined;
  return (client, error): Chats => {
    const stores = new Map<string, ChatStore>();
    const used = new Set<ChatStore>();
    /** The user that the server has named. */
    let named: string | undefined;
    const userId = (): string | undefined =>
      (typeof options.userId === "function" ? options.userId() : options.userId) ?? named;
    inherited?.watch((message, failure) => {
      if (message) {
        const store = stores.get(`${message.kind} ${message.conversation}`);
        if (failure) store?.moved(message.id, failure.code, error(failure.code, failure.message, failure.cause));
        else store?.moved(message.id, "acknowledged");
      } else for (const store of used) store.inherit();
    });
    return {
      of: (kind, id) => {
        const key = `${kind} ${id}`;
        const known = stores.get(key);
        if (known) return known.chat;
        const keep = (isUsed: boolean): void => {
          used[isUsed ? "add" : "delete"](store);
          // It may have been forgotten since its last use.
          if (isUsed && !stores.get(key)?.isNeeded()) stores.set(key, store);
        };
        const store = chatStore(kind, id, client, error, options, userId, keep, inherited);
        for (const [other, { isNeeded }] of stores) if (stores.size >= MOST_STORES && !isNeeded()) stores.delete(other);
        stores.set(key, store);
        return store.chat;
      },
      hear: (event, data) => {
        if (event === "connected") named = textOf(fieldsOf(data).user_id) ?? named;
        for (const store of [...used]) store.hear(event, data);
        if (event === "error") inherited?.refused(fieldsOf(data));
      },
      clear: () => {
        named = undefined;
        for (const store of new Set([...stores.values(), ...used])) store.clear();
      },
    };
  };
}

/** How many conversations there are before those go that nobody uses. */
const MOST_STORES = 100;
