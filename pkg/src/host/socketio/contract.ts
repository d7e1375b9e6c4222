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
  setLinkAlarm(delayMs: number | undefined): void;

  // Each of these records what happened, and runs no code of the application. `deliver` does.
  joined(sid: string, continuity: ContinuityName): void;
  keptOut(reason: unknown): void;
  putOut(): void;
  /** One attachment of what the next call is about. */
  attach(attachment: ArrayBuffer): void;
  event(id: number | undefined, args: unknown[]): void;
  eventAcknowledged(seq: number, args: unknown[]): void;
  eventUnacknowledged(seq: number, failure: FailureName): void;
  flawed(flaw: FlawName): void;
}
