/** A message that waits on disk for its acknowledgement. */
export interface StoredMessage {
  /** The sender that numbered it. */
  readonly clientId: string;
  /** Its sequence number, a whole number from 1, growing per sender. */
  readonly seq: number;
  /** The complete envelope without sequence fields. */
  readonly frame: string;
  /** The size of `frame` in UTF-8. */
  readonly bytes: number;
  /** A small integer that means something to the client only. */
  readonly purpose: number;
  /** The session that it belongs to, if any. */
  readonly session?: string | undefined;
  /** When it stops being worth sending, in milliseconds since the epoch; `null`: never. */
  readonly expiresAt: number | null;
  /** When it was accepted, in milliseconds since the epoch; one in the future counts as that long ago. What is older than a server remembers is not sent to it, but dropped as `unconfirmed`. */
  readonly createdAt?: number;
}

/** Where durable messages are kept. `durableOutbox()` of `everwire/durable` makes one; an application may bring its own. */
export interface Outbox {
  /**
   * Takes `clientId` for this page and adopts what pages that are gone have left: their messages in order, sender by sender, the
   * oldest sender first. Expired ones are among them, and the client drops them with a word. Rejects with an {@link OutboxError} if there is no storage;
   * the client then goes on in memory. Never called twice, and not before the client needs it.
   *
   * An outbox that learns later that a page is gone adopts its messages as well and calls `onAdopted` with them, but not after `wipe()` or `close()`.
   */
  open(clientId: string, onAdopted?: (messages: StoredMessage[]) => void): Promise<StoredMessage[]>;
  /**
   * What a connection waits for, if there is anything: a promise that stays pending keeps a page from connecting that may not send under its client id any more.
   */
  readonly ready?: Promise<void> | undefined;
  /**
   * Resolves when the message is on disk, rejects with an {@link OutboxError} when it cannot be stored. Calls for one sender come
   * in the order of `seq`; several may be under way, and all of one turn share a transaction.
   */
  put(message: StoredMessage): Promise<void>;
  /**
   * Forgets the messages of a sender up to and including `seq`. Needs no answer: where it fails, a later page sends them again,
   * and the server recognises what comes twice.
   */
  acknowledge(clientId: string, seq: number): void;
  /** Forgets one message: expired, cancelled, or refused. Like `acknowledge`, it may come while the message's `put` is under way, and holds all the same. */
  remove(clientId: string, seq: number): void;
  /** Forgets everything of this outbox's name, of all tabs and senders: the user has logged out. */
  wipe(): Promise<void>;
  /**
   * Lets go of the locks and the database once what was put is on disk. What is stored stays, for the next page to adopt. A client that is disposed of calls it; of
   * one that is only forgotten nobody does, so an outbox had better notice by itself that it is not referred to any more, as that of `everwire/durable` does.
   */
  close(): void;
}

/** What the outbox of `everwire/durable` throws and rejects with. Holds neither payloads nor names; `cause` is what the browser said. */
export interface OutboxError extends Error {
  /** Tells it from other errors. */
  readonly name: "OutboxError";
  /** The stable name of what is wrong. */
  readonly code: OutboxErrorCode;
}

/**
 * What can be wrong.
 *
 * - `invalid_option`, thrown by `durableOutbox()`: an option cannot be used.
 * - `storage_unavailable`: this page cannot store anything: no IndexedDB or no Web Locks (an insecure page, a sandboxed frame, an old
 *   browser, some private windows), a database that does not answer in time, or one that a newer version has written.
 * - `storage_full`: the outbox's own bounds or the browser's quota are reached.
 * - `storage_failed`: this one operation failed, or a wipe or `close()` overtook it.
 */
export type OutboxErrorCode = "invalid_option" | "storage_unavailable" | "storage_full" | "storage_failed";
