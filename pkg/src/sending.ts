import type { ErrorCode, EverwireError } from "./errors.js";

/** How one message is to be treated. */
export interface SendOptions {
  /**
   * Send it on the open connection, after all others, or not at all; at most once even in the reliable mode. Default: `true` for pings
   * and typing, `false` for all others. Without a connection it is refused as `not_open`; when the connection ends before it was sent, it is dropped
   * as `not_open`.
   */
  readonly volatile?: boolean | undefined;
  /**
   * How long it may wait to be sent, in milliseconds, from 1; else it is refused as `invalid_option`. Default `queue.ttlMs`. Once sent, it does not
   * expire. With `durable`, the time runs on while no page is open, and what it is over for when another page adopts it is dropped as `expired`, sent or not.
   */
  readonly ttlMs?: number | undefined;
  /**
   * Replaces a message with the same key that was not sent yet. Default: one for typing, by session, and for `read_message`, by match, where a receipt
   * replaces only one of a smaller `message_id`, which ids of digits alone can tell; none for others. The replaced message fails with the code
   * `replaced`.
   */
  readonly coalesce?: string | undefined;
  /**
   * Send it only once it is on disk, so that it survives a reload or a crash. It is there some milliseconds after `send()`: what is sent in the very moment of a reload may be lost. Default `false`. Needs the client's `outbox`, and excludes `volatile`,
   * else it is refused as `invalid_option`. Messages behind it wait too. When it cannot be stored, an `error` event says why, and it is sent
   * all the same. A later page sends it before anything of its own; the server takes it for every session that the user has joined and not left.
   */
  readonly durable?: boolean | undefined;
}

/** How to wait for a reply. */
export interface RequestOptions {
  /**
   * How long, in milliseconds, from 1; else the request rejects with `invalid_option`. Default 10 000. Then it rejects with `timed_out`; if it was not
   * sent by then, it is taken back, otherwise the server may have processed it.
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * How far a message has come: `queued`, `sent` (handed to the connection), and in the reliable mode `acknowledged` (the server has
 * processed it), `delivered` (it has reached another user) and `read`; or how it ended: `expired`, `refused` by the server, `cancelled`,
 * or `failed`.
 */
export type MessageStatus =
  | "queued"
  | "sent"
  | "acknowledged"
  | "delivered"
  | "read"
  | "expired"
  | "refused"
  | "cancelled"
  | "failed";

/** A message that was accepted. */
export interface SentMessage {
  /** How far it has come; changes. In the reliable mode the server may refuse it later. */
  readonly status: MessageStatus;
  /**
   * Resolves when it is acknowledged; at most once, when it is sent. Rejects with an {@link EverwireError} when it ends otherwise: the code
   * is `expired`, `refused` (the server's reason is the `cause`), `cancelled`, or the reason of the `drop` event.
   */
  done(): Promise<void>;
  /** Takes it back if it was not sent yet, and says whether that was so. Then `done()` rejects with `cancelled`. */
  cancel(): boolean;
  /**
   * Calls `listener` whenever the status has changed. Returns a function that ends the subscription. The acknowledged ones among the last 1 000 that were sent still
   * learn that they are delivered and read.
   */
  subscribe(listener: () => void): () => void;
}

/**
 * What `send()` did with a message: `status` is `refused` if it was not accepted. What was accepted may be refused by the server later; hold
 * it as a {@link SentMessage} to look for that.
 */
export type SendResult =
  | (SentMessage & {
      /** How far it has come so far. */
      readonly status: Exclude<MessageStatus, "refused">;
    })
  | {
      /** It was not accepted: it is neither sent nor queued. */
      readonly status: "refused";
      /** The stable name of what is wrong. */
      readonly code: ErrorCode;
      /** The same for people. */
      readonly reason: string;
      /** The same to throw. */
      readonly error: EverwireError;
    };

/**
 * Why an accepted message will not be sent: `overflow` (a newer one needed the room), `expired`, `not_open` (volatile, and the connection
 * is gone), `replaced` (by one with the same `coalesce` key), `unconfirmed` (it was sent, and the server cannot say whether it arrived:
 * it is a plain one, or the message is older than what it remembers), `unsupported` (a request to a server that knows none), `forgotten`
 * (`logout()`), `too_large` (for the server of the latest connection), `poisoned` (the server has ended three connections in a row over it).
 */
export type DropReason =
  | "overflow"
  | "expired"
  | "not_open"
  | "replaced"
  | "unconfirmed"
  | "unsupported"
  | "forgotten"
  | "too_large"
  | "poisoned";

/** The arguments of `send()` after the name: the data may be left out where an empty object will do. */
export type DataArgument<Data, More> =
  Record<never, never> extends Data ? [data?: Data, options?: More] : [data: Data, options?: More];
