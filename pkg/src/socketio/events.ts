import type { DropReason } from "../sending.js";
import type { CloseInfo } from "../snapshot.js";

/** Why a client is not in its namespace any more. */
export type DisconnectReason =
  | "io server disconnect"
  | "io client disconnect"
  | "ping timeout"
  | "transport close"
  | "parse error";

/** What a client tells of itself. */
export interface SocketOwnEvents {
  /** The client is in its namespace. */
  connect: () => void;
  /** An attempt has failed; unless `socket.active` is false, another one follows. */
  connect_error: (error: ConnectError) => void;
  /** The client is not in its namespace any more; unless `socket.active` is false, it tries to come back. */
  disconnect: (reason: DisconnectReason, details?: CloseInfo) => void;
}

/** What a manager tells of its clients together: once, however many namespaces there are. */
export interface ManagerOwnEvents {
  /** The connection is open, and a client in its namespace. */
  open: () => void;
  /** The connection has ended: no client is in its namespace any more. `forced close` when it was not needed any more, or the server has put the last one out. */
  close: (reason: DisconnectReason | "forced close", details?: CloseInfo) => void;
  /** An attempt to connect has failed, or the server has sent what means nothing. What one namespace refuses is told by its client's `connect_error`. */
  error: (error: Error) => void;
  /** An attempt to come back begins. */
  reconnect_attempt: (attempt: number) => void;
  /** An attempt to come back has failed. */
  reconnect_error: (error: Error) => void;
  /** So many attempts have failed, and no other is made. */
  reconnect_failed: () => void;
  /** The connection is back. */
  reconnect: (attempt: number) => void;
  /** An event will not be sent, or (`unconfirmed`) it was, and its acknowledgement can no longer come. Socket.IO's own client loses it silently. */
  drop: (dropped: DroppedEvent) => void;
  /** What the server sent while there was no connection may be missing: the server has begun another session (`recovered` is false). */
  gap: (missed: { readonly namespace: string }) => void;
}

/** An event that will not be sent, or not be acknowledged. */
export interface DroppedEvent {
  /** The namespace of the client that sent it. */
  readonly namespace: string;
  /** Its name. */
  readonly event: string;
  /** Its arguments, without the acknowledgement. */
  readonly args: readonly unknown[];
  /** Why. */
  readonly reason: DropReason | "queue_full" | "too_large" | "not_open";
}

/** Why an attempt has failed. */
export class ConnectError extends Error {
  static override readonly name = "ConnectError";

  static {
    ConnectError.prototype.name = ConnectError.name;
  }

  /** What the server's middleware says beside the message; `undefined` if the server did not answer. */
  readonly data: unknown;
  /** How the attempt ended, if it was not the server that refused. */
  readonly close: CloseInfo | undefined;

  constructor(message: string, data: unknown, close: CloseInfo | undefined, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.data = data;
    this.close = close;
  }
}
