import type { CloseCause, PhaseName } from "../codes.js";
import type { CloseInfo, Snapshot } from "../snapshot.js";
import { CLOSE_TEXTS } from "./words.js";

/** A snapshot that is not shown yet. */
export type RawSnapshot = { -readonly [Field in keyof Snapshot]: Snapshot[Field] };

/** Either `cause` says why the client ended the connection, or `reason` is what the peer says. */
export const closeInfo = (
  code: number,
  cause: CloseCause | undefined,
  reason: string | undefined,
  wasClean: boolean,
): CloseInfo => ({ code, reason: cause ? CLOSE_TEXTS[cause] : (reason ?? ""), cause: cause ?? null, wasClean });

/** What the core calls to make snapshots. */
export const snapshots = {
  make: (
    phase: PhaseName,
    attempt: number,
    retryAt: number | null = null,
    queued: number,
    queuedBytes: number,
    lastRttMs: number | null = null,
    delivery: Snapshot["delivery"] = null,
    hasRoom: boolean,
    protocolErrors: number,
  ): RawSnapshot => ({
    state: "closed",
    phase,
    attempt,
    retryAt,
    close: null,
    error: null,
    queued,
    queuedBytes,
    lastRttMs,
    delivery,
    hasRoom,
    protocolErrors,
  }),

  setClose(snapshot: RawSnapshot, ...close: Parameters<typeof closeInfo>): void {
    snapshot.close = closeInfo(...close);
  },
};
