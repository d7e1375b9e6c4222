import type { CloseCause } from "../codes.js";
import type { CloseInfo, Snapshot } from "../types.js";
import { CLOSE_TEXTS } from "./words.js";

/** A snapshot that the core fills in: what it does not set stays `null`. */
export type RawSnapshot = { -readonly [Field in keyof Snapshot]: Snapshot[Field] };

export const makeSnapshot = (): RawSnapshot => ({
  state: "closed",
  phase: "idle",
  attempt: 0,
  retryAt: null,
  close: null,
  error: null,
  queued: 0,
  queuedBytes: 0,
  lastRttMs: null,
  delivery: null,
  hasRoom: true,
  protocolErrors: 0,
});

/** Either `cause` says why the client ended the connection, or `reason` is what the peer says. */
export const closeInfo = (
  code: number,
  cause: CloseCause | undefined,
  reason: string | undefined,
  wasClean: boolean,
): CloseInfo => ({ code, reason: cause ? CLOSE_TEXTS[cause] : (reason ?? ""), cause: cause ?? null, wasClean });

/** What the core calls to make snapshots. */
export const snapshots = {
  make: makeSnapshot,

  setClose(snapshot: RawSnapshot, ...close: Parameters<typeof closeInfo>): void {
    snapshot.close = closeInfo(...close);
  },
};
