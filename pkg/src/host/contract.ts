import type {
  CloseCause,
  DropName,
  FailureName,
  OverflowName,
  ProtocolViolation,
  PurposeName,
  ReceiptName,
} from "../codes.js";
import type { RawSnapshot } from "./snapshot.js";

/** What the core calls on the host of a client (`src/npm/host.rs`). */
export interface CoreHost {
  readonly isReliable: boolean;
  readonly clientId: string;
  readonly overflow: OverflowName | undefined;
  numericOption(index: number): number | undefined;

  isOffline(): boolean;
  /** Asks for a token, opens a WebSocket, and reports what becomes of both. */
  openSocket(tokenRefused: boolean): void;
  /** Returns how many bytes wait in the browser; `undefined` if the socket takes none. */
  send(text: string): number | undefined;
  /** Sends a ping; one that the socket does not take stays unanswered. */
  ping(): void;
  buffered(): number;
  closeSocket(): void;
  abandonSocket(): void;
  /** Without a delay, the alarm is switched off. */
  setAlarm(delayMs: number | undefined): void;
  watchPage(isWatched: boolean): void;

  // Each of these records what happened, and runs no code of the application. `deliver` does.
  opened(): void;
  closed(code: number, cause: CloseCause | undefined, reason: string | undefined, wasClean: boolean): void;
  reconnecting(attempt: number, delayMs: number): void;
  gaveUp(attempts: number): void;
  transmitted(seq: number): void;
  acknowledged(origin: string | undefined, seq: number): void;
  refused(seq: number, data: unknown): void;
  replied(seq: number, data: { readonly result?: unknown }): void;
  receipt(seq: number, status: ReceiptName): void;
  requestFailed(seq: number, failure: FailureName): void;
  gap(stream: string, from: number, to: number | undefined): void;
  violation(violation: ProtocolViolation): void;
  dropped(frame: string, reason: DropName, origin: string | undefined, seq: number): void;
  changed(snapshot: RawSnapshot, isPhase: boolean): void;
  deliver(): void;
}

/** A message as the core takes it (`src/npm/envelopes.rs`). */
export interface OutgoingMessage {
  /** The complete envelope without sequence fields. */
  readonly frame: string;
  /** Its size in UTF-8. */
  readonly bytes: number;
  readonly purpose: PurposeName;
  readonly key?: string | undefined;
  readonly rank?: number;
  readonly ttlMs?: number | undefined;
  readonly isDurable?: boolean;
  /** How long to wait for the reply, if it is a request. */
  readonly timeoutMs?: number | undefined;
  /** Its number, once the core has accepted it; 0 before. */
  seq: number;
  /** How large it may be, once the core has refused it as too large. */
  maxBytes?: number;
}

/** A message that a previous client instance has left. */
export interface RestoredMessage extends Omit<OutgoingMessage, "rank" | "isDurable" | "timeoutMs" | "maxBytes"> {
  /** The client id that it was numbered under. */
  readonly origin: string;
  /** How long ago it was written. */
  readonly ageMs: number;
}
