import type { Envelope } from "./envelope.js";
import type { EverwireError } from "./errors.js";
import type { DropReason } from "./sending.js";
import type { CloseInfo, Snapshot } from "./snapshot.js";

/** The client's own events. A server cannot send them, except `error`. */
export interface LifecycleEvents {
  /** The connection is open, sessions are rejoined, the queue is flushed. */
  open: Record<string, never>;
  /** A connection or an attempt ended. */
  close: CloseInfo;
  /** The phase changed. */
  state: Snapshot;
  /** An attempt is scheduled. */
  reconnecting: {
    /** Its number, from 1. */
    readonly attempt: number;
    /** How long until it starts, in milliseconds. */
    readonly delayMs: number;
  };
  /** The attempts are used up. */
  give_up: {
    /** How many have failed. */
    readonly attempts: number;
  };
  /** A problem that the client saw, or an `error` event of the server; `isClientError()` tells which. */
  error: EverwireError | ServerErrorData;
  /** An accepted message will not be sent. Not told of `ping`, with which conversations ask the server by themselves. */
  drop: {
    /** The name of the event. */
    readonly type: string;
    /** Its payload, as it was given to `send()`. */
    readonly data: unknown;
    /** Why it will not be sent. */
    readonly reason: DropReason;
  };
  /** In the reliable mode: stored events of a stream cannot be had any more; fetch what they said by other means. */
  gap: Gap;
  /** An event of the server does not fit its schema, see `Options.schemas`. */
  invalid: InvalidEvent;
}

/** An event of the server that does not fit its schema. */
export interface InvalidEvent {
  /** Its name. */
  readonly type: string;
  /** What is wrong with its data. */
  readonly issues: readonly EventIssue[];
  /** The event as it came. */
  readonly message: Envelope;
}

/** One thing that is wrong with an event's data. */
export interface EventIssue {
  /** Where: the names and indices that lead there from the data; empty for the data itself. */
  readonly path: readonly PropertyKey[];
  /** Why, in the schema's words, which may hold parts of the data. */
  readonly message: string;
}

/**
 * Says what is wrong with an event, if anything is, and may replace its data by what a schema makes of it. Throws if it cannot tell.
 */
export type EventValidator = (message: Envelope) => InvalidEvent | undefined;

/** Events that are missing: those of one stream from `from` to `to`, both included. Offsets may have holes, so `to - from + 1` is the most there were. */
export interface Gap {
  /** The stream, as the server names it. */
  readonly stream: string;
  /** The offset of the first that is missing. */
  readonly from: number;
  /** The offset of the last; `null` if nobody knows: the server has lost its memory and counts anew, or no longer has the stream. */
  readonly to: number | null;
}

/** The payload of the server's own `error` events. */
export interface ServerErrorData {
  /** Why, for people. The server's text: show it as text. */
  readonly message: string;
  /** Why, for programs, if the server says so: one of its own names, such as `not_allowed`. */
  readonly code?: string;
  /** The type of the message that it is about, if it is about one. */
  readonly about?: string;
}
