import type { EverwireError } from "./errors.js";

/**
 * How far one's own message has come. `sending`: it waits, or the server has not confirmed it. `sent`: the server has it; at most once, and without an
 * echo of the server, only that it was handed to the connection. `delivered` and `read`: by another user. `failed`: it did not arrive, see
 * {@link ChatMessage.error}. It moves forward only; a failed message can be sent again, and one that turns up in the history after all has not failed.
 */
export type ChatStatus = "sending" | "sent" | "delivered" | "read" | "failed";

/** A message of a conversation. The same object until something of it changes. */
export interface ChatMessage {
  /**
   * The sender's own id where there is one, else the server's, with a `'` behind it where another message of the list has that already, as after a server has given its
   * ids again. Names the message in the list for good, also when the server gives it another id.
   */
  readonly id: string;
  /** The server's id; `null` where it is not known, and where another message has got it since. */
  readonly serverId: string | null;
  /** The text. */
  readonly content: string;
  /** Who wrote it; `null` while that is not known, as for an assistant, or for one's own while the user's id is not known. */
  readonly senderId: string | null;
  /** Whether this user wrote it, on whatever device. */
  readonly isOwn: boolean;
  /** Who speaks: `user`, `assistant`, or another word of the server's. */
  readonly role: string;
  /** When, in milliseconds since the epoch: by the server once it has said so, before that by this page's clock, corrected by what the server's last pong said. */
  readonly at: number;
  /** `null` for messages of others. */
  readonly status: ChatStatus | null;
  /** Why it failed; `null` otherwise. */
  readonly error: EverwireError | null;
  /**
   * The server's payload of the message with every further field, and the `readAt` of a `message_read`; before there is one, the fields that `send()` was
   * given. Of a message that is still being written, the latest `message_delta`, whose `message_id` a whole message does not have.
   */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A member of a conversation who is known to be there or not. */
export interface ChatMember {
  /** The user. */
  readonly userId: string;
  /** Whether the user is connected, on any device. */
  readonly online: boolean;
}

/** Everything that a chat window shows. The same object until something changes; what did not change keeps its identity. */
export interface ChatSnapshot {
  /**
   * In the order of the server's times, those that are under way last. In a session the server does not tell a page when it took the page's own message, so that
   * stands behind what was there when it was sent. Each id once. At most `maxMessages`.
   */
  readonly messages: readonly ChatMessage[];
  /** All members, this user included, as the server named them last; empty while there is no connection, because nobody knows then. At most 1 000. */
  readonly members: readonly ChatMember[];
  /** The other users who type, in the order in which they began. At most 1 000. */
  readonly typing: readonly string[];
  /** Whether this user types on another device, or in another tab. `false` while it is not known who this user is. */
  readonly isTypingElsewhere: boolean;
  /** How many messages of others are not marked as read. Those of a session's history count as read, for nothing says whether they were. */
  readonly unread: number;
  /** Whether `loadEarlier()` may find more. `false` without the `loadEarlier` option, and when the list is full. */
  readonly hasEarlier: boolean;
  /** Whether one of the callbacks is under way. */
  readonly isLoading: boolean;
  /** `false` while messages may be missing between those that are there: something was lost, and is not fetched. */
  readonly isComplete: boolean;
  /** Of a match: `pending`, `active`, `ended`, or another word of the server's; `null` until it says so, and in sessions. */
  readonly status: string | null;
  /**
   * The server's latest refusal about this conversation, such as `not_allowed`, `not_active` or `not_joined`; `null` again after the next connection. `load_failed` while a page of the history
   * or of what was missed cannot be had, which is asked for again.
   */
  readonly error: ChatError | null;
}

/** What a server refused. */
export interface ChatError {
  /** For people. */
  readonly message: string;
  /** For programs. */
  readonly code?: string;
}

/** One conversation: a store for any UI library. The methods need no `this`. */
export interface Chat {
  /** The session or match. */
  readonly id: string;
  /** Which of the two it is. */
  readonly kind: ChatKind;
  /** What there is to show; the same object until something changes. */
  readonly getSnapshot: () => ChatSnapshot;
  /**
   * Calls `listener` whenever the snapshot has changed, and uses the conversation until the returned function is called: it is joined with the first use,
   * entered again on every connection before anything else is sent, and left in a macrotask after the last, so that a component that is mounted again at once does
   * not leave. What was left is forgotten, unless a message of this user's has failed in it or is still on its way. Leaving ends nothing for the user's other devices. A match has no event to leave it: the server sends its events until the connection
   * ends, and on later connections too, and they are ignored.
   */
  readonly subscribe: (listener: () => void) => () => void;
  /** A use without a listener. */
  readonly join: () => () => void;
  /**
   * Writes a message: it appears at once as `sending`. Returns its id. `fields` are further fields of the payload; those that the event itself has win. What cannot
   * be sent becomes `failed`; nothing is thrown but what reading `fields` throws.
   */
  readonly send: (content: string, fields?: Readonly<Record<string, unknown>>) => string;
  /** Sends a failed message again, under the same id, so that a server that has it all the same does not take it twice. Others are left alone. */
  readonly retry: (id: string) => void;
  /** Takes a failed message out of the list. Others are left alone. */
  readonly discard: (id: string) => void;
  /** The user has pressed a key. */
  readonly keyPressed: () => void;
  /** The user has stopped typing. Sending a message says so by itself, and so does leaving. */
  readonly stopped: () => void;
  /** `keyPressed()` or `stopped()`. */
  readonly setTyping: (isTyping: boolean) => void;
  /**
   * Marks the messages of others as read up to this one, by default the newest. Only ever moves forward. In a match the server is told, and tells the others;
   * sessions have no receipts, so there it counts on this page alone.
   */
  readonly markAsRead: (id?: string) => void;
  /** Fetches the page before the oldest message; until the newest page is there, that one, at once if there is a connection. Rejects with what `loadEarlier` threw; resolves at once if there is nothing to fetch. */
  readonly loadEarlier: () => Promise<void>;
}

/** A session of MasterX, or a match of CoLabMatch. */
export type ChatKind = "session" | "match";

/** What a client needs of an entry that keeps chats; `chat()` of `everwire/session` makes one. */
export type ChatFactory = (client: ChatClient, error: ChatErrorMaker) => Chats;

/** Makes an error of the client's own class. */
export type ChatErrorMaker = (code: "refused" | "unconfirmed", message: string, cause?: unknown) => EverwireError;

/** What a {@link ChatFactory} gets of its client. */
export interface ChatClient {
  /** Sends an event, or queues it. */
  send(event: string, data: object, options?: { readonly durable?: boolean }): ChatSendResult;
  /** Resolves when `send()` has room. */
  whenRoom(): Promise<void>;
  /** Where the connection stands. */
  getSnapshot(): {
    /** The phase, as in `Snapshot`. */
    readonly phase: string;
    /** What the server can do, as in `Snapshot`. */
    readonly delivery: "at-most-once" | "reliable" | null;
  };
}

/** What became of a message, as `send()` of a client says it. */
export type ChatSendResult =
  | {
      /** It was not accepted. */
      readonly status: "refused";
      /** Why. */
      readonly error: EverwireError;
    }
  | {
      /** How far it has come. */
      readonly status: string;
      /** Resolves when it has arrived, and rejects when it will not. */
      done(): Promise<void>;
      /** Calls the listener whenever the status has changed. */
      subscribe(listener: () => void): () => void;
    };

/** The conversations of one client. */
export interface Chats {
  /** The one conversation of this kind and id. */
  readonly of: (kind: ChatKind, id: string) => Chat;
  /** Is told of every event, the client's own included, before its handlers. Does not throw. */
  readonly hear: (event: string, data: unknown) => void;
  /** Forgets everything: the user has logged out. */
  readonly clear: () => void;
}

/**
 * The messages of conversations that pages that are gone have left and this one sends, so that a conversation can show them. `durableOutbox()` of
 * `everwire/durable` has them; an outbox of an application's own may.
 */
export interface InheritedMessages {
  /** Those of one conversation, the oldest first, until it is known what became of them. */
  of(kind: ChatKind, conversation: string): readonly InheritedMessage[];
  /** Whether a message is one of them, by the sender's id. */
  has(id: string | undefined): boolean;
  /** Takes the payload of an `error`: one with a `seq` is about one of these, because what is said of the page's own messages does not come as an event. */
  refused(refusal: Readonly<Record<string, unknown>>): void;
  /** Calls `listener` without a message when there are more, and with one when it has arrived or, with the failure, when it will not. Only the latest listener is called. */
  watch(listener: (message?: InheritedMessage, failure?: InheritedFailure) => void): void;
}

/** A message that a page that is gone has left. */
export interface InheritedMessage {
  /** Whether it belongs to a session or a match. */
  readonly kind: ChatKind;
  /** The session or match. */
  readonly conversation: string;
  /** The sender's id. */
  readonly id: string;
  /** The text. */
  readonly content: string;
  /** The further fields of its payload. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** When it was written, in milliseconds since the epoch, if that is known. */
  readonly at?: number | undefined;
}

/** Why a message that a page has left does not arrive. */
export interface InheritedFailure {
  /** `refused` by the server, or `unconfirmed`: dropped, see the `drop` event. */
  readonly code: "refused" | "unconfirmed";
  /** For people. */
  readonly message: string;
  /** What the server said. */
  readonly cause?: unknown;
}
