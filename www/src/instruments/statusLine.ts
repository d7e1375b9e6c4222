import type { Snapshot } from "everwire";
import { delivery, view } from "../address";
import { MAX_ATTEMPTS } from "../baseOptions";
import { closeReason } from "./closeReason";
import { rootCause } from "./rootCause";

export type Tone = "good" | "busy" | "down" | "off";

export interface StatusLine {
  readonly tone: Tone;
  /** Two words at most, for the badge. */
  readonly badge: string;
  /** The whole story, without anything that changes by itself: fit to be read aloud. */
  readonly sentence: string;
  /** What to add to the sentence when the next attempt has a date. */
  readonly retryAt: number | null;
  /** Why it came to this, in parentheses behind the sentence. */
  readonly because: string | null;
  /** What that means for someone who writes now. */
  readonly hint: string;
}

export function statusLine(snapshot: Snapshot): StatusLine {
  const { phase, attempt } = snapshot;
  const because = snapshot.error === null ? closeReason(snapshot.close) : rootCause(snapshot.error);
  switch (phase) {
    case "idle":
      return line("off", "Disconnected", snapshot.close === null ? "Not connected yet" : "Disconnected on request");
    case "connecting":
      return attempt === 0
        ? line("busy", "Connecting", "Connecting…")
        : line("busy", "Reconnecting", `Reconnecting: attempt ${attempt} of ${MAX_ATTEMPTS} is running`, because);
    case "open":
      return line("good", "Connected", "Connected");
    case "closing":
      return line("busy", "Closing", "Closing the connection…");
    case "waiting":
      return {
        ...line("busy", "Reconnecting", `Reconnecting: attempt ${attempt} of ${MAX_ATTEMPTS}`, because),
        retryAt: snapshot.retryAt,
      };
    case "offline":
      return line("off", "Offline", "Offline: waiting for the network");
    case "logged_out":
      return line("off", "Logged out", "Logged out: waiting for a token");
    case "given_up":
      return line("down", "Gave up", `Gave up after ${MAX_ATTEMPTS} attempts`, because);
    case "fatal":
      return line("down", "Stopped", "Stopped: trying again would not help", because);
  }
}

function line(tone: Tone, badge: string, sentence: string, because: string | null = null): StatusLine {
  return { tone, badge, sentence, because, retryAt: null, hint: HINTS[tone] };
}

const WAITS =
  delivery === "reliable" && view === "match"
    ? "What you write waits here, also over a reload."
    : "What you write waits here, in order.";

const HINTS: Readonly<Record<Tone, string>> = {
  good: "What you write leaves at once.",
  busy: WAITS,
  off: WAITS,
  down: "What you write waits here. Reconnect to send it.",
};
