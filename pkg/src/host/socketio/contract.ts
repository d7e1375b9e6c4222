import type { FailureName } from "../../codes.js";
import type { ContinuityName, FlawName } from "./codes.js";

/** What the core calls on the host of a client besides what it calls on every host (`src/npm/socketio/host.rs`). */
export interface PacketHost {
  readonly namespace: string;
  /** The JSON text of what the application authenticates itself by, with what asks for the session before. */
  auth(pid: string | undefined, offset: string | undefined): string | undefined;
  /** Sends the attachments of the message of this number. Returns how many bytes wait in the browser; `undefined` if the socket takes none. */
  sendAttachments(seq: number): number | undefined;
  /** Without a delay, this alarm is switched off. */
  setAckAlarm(delayMs: number | undefined): void;

  // Each of these records what happened, and runs no code of the application. `deliver` does.
  joined(sid: string, continuity: ContinuityName): void;
  keptOut(reason: unknown): void;
  putOut(): void;
  /** One attachment of what the next call is about. */
  attach(attachment: ArrayBuffer): void;
  event(id: number | undefined, args: unknown[]): void;
  eventAcknowledged(seq: number, args: unknown[]): void;
  eventUnacknowledged(seq: number, failure: FailureName): void;
}

/** What the core calls on a socket (`src/npm/socketio/connection.rs`). */
export interface CarrierHost {
  send(text: string): void;
  /** Without a delay, the alarm is switched off. */
  setAlarm(delayMs: number | undefined): void;
  opened(maxPayloadBytes: number): void;
  /** Hands what is being delivered to the client of the namespace, by default the main one. Returns what is wrong with it, if anything is. */
  deliver(namespace: string | undefined): FlawName | undefined;
  /** The server has nothing more to say: how, the core knows. */
  ended(): void;
  flawed(flaw: FlawName): void;
}
