import type { Snapshot } from "everwire";
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { formatTime } from "../formatTime";
import { useTick } from "../useTick";

/** A phase of the connection; it lasts until the next one begins. */
export interface Span {
  readonly phase: Snapshot["phase"];
  readonly from: number;
  /** When it will end, if that is known. */
  readonly until: number | null;
  /** What it was about, for people. */
  readonly words: string;
}

/** Something that happened in a moment. */
export interface Mark {
  readonly kind: "sent" | "acknowledged" | "failed" | "received" | "closed";
  readonly at: number;
  readonly words: string;
}

interface Props {
  /** Whose connection it is. */
  readonly name: string;
  /** In order; the last one is now. */
  readonly spans: readonly Span[];
  /** In order. */
  readonly marks: readonly Mark[];
}

/**
 * The last minute of a connection, from left to right, and the next seconds: a band of phases, and marks for what passed over it. Each phase has a
 * pattern, and each mark a shape, of its own. Hovering, or the arrow keys, tell one of them in words.
 */
export function Timeline({ name, spans, marks }: Props) {
  const now = useTick();
  const [chosen, choose] = useState<number | null>(null);
  const start = now - PAST_MS;
  const place = (at: number) =>
    `${(100 * Math.min(Math.max(at - start, 0), PAST_MS + NEXT_MS)) / (PAST_MS + NEXT_MS)}%`;
  const width = (from: number, to: number) => `calc(${place(to)} - ${place(from)})`;

  const bars = spans
    .map((span, index) => ({ ...span, to: spans[index + 1]?.from ?? now, isLast: index === spans.length - 1 }))
    .filter(({ to }) => to > start);
  const seen = marks.filter(({ at }) => at > start);
  const items = [
    ...bars.map(({ from, to, isLast, words }) => ({
      at: Math.max(from, start),
      words: `${words}${lasting(from, to, isLast)}`,
    })),
    ...seen.map(({ at, words }) => ({ at, words: `${words}, ${formatTime(at)}` })),
  ].sort((a, b) => a.at - b.at);
  const index = Math.min(chosen ?? items.length - 1, items.length - 1);
  const item = items[index];

  const hover = ({ clientX, currentTarget }: PointerEvent) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    const at = start + ((clientX - left) / width) * (PAST_MS + NEXT_MS);
    const distances = items.map((other) => Math.abs(other.at - at));
    const nearest = distances.indexOf(Math.min(...distances));
    // A mark is hit when the pointer is on it; elsewhere it is the phase below the pointer.
    const isMark = (distances[nearest] ?? 0) < NEAR_MS;
    const below = items.findLastIndex(
      (other) => other.at <= at && bars.some(({ from }) => Math.max(from, start) === other.at),
    );
    choose(isMark ? nearest : Math.max(0, below));
  };

  const press = (event: KeyboardEvent) => {
    const next = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape") choose(null);
    if (next === undefined) return;
    event.preventDefault();
    choose(Math.min(Math.max(next, 0), items.length - 1));
  };

  return (
    <div className="timeline" data-testid="timeline">
      <div
        className="timeline-strip"
        role="slider"
        tabIndex={0}
        aria-label={`The last minute of ${name}’s connection`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, items.length - 1)}
        aria-valuenow={Math.max(0, index)}
        aria-valuetext={item?.words ?? "nothing yet"}
        onPointerMove={hover}
        onPointerLeave={() => choose(null)}
        onKeyDown={press}
        onBlur={() => choose(null)}
      >
        <Lane marks={seen} kinds={["sent", "failed"]} place={place} />
        <span className="timeline-band">
          {bars.map(({ phase, from, to, isLast, until }) => (
            <span
              key={from}
              className="timeline-bar"
              data-phase={phase}
              style={{ left: place(from), width: width(from, to) }}
            >
              <span className="timeline-label">
                {isLast && until !== null ? `next in ${seconds(until - now)}` : LABELS[phase]}
              </span>
            </span>
          ))}
          {bars.at(-1)?.until && (
            <span
              className="timeline-bar timeline-next"
              data-phase="waiting"
              style={{ left: place(now), width: width(now, bars.at(-1)?.until ?? now) }}
            />
          )}
          <span className="timeline-now" style={{ left: place(now) }} />
          {chosen !== null && item && <span className="timeline-cursor" style={{ left: place(item.at) }} />}
          <Lane marks={seen} kinds={["closed"]} place={place} />
        </span>
        <Lane marks={seen} kinds={["acknowledged", "received"]} place={place} />
      </div>
      <p className="timeline-words" data-testid="timeline-words">
        {chosen !== null && item ? <b>{item.words}</b> : <Legend />}
      </p>
    </div>
  );
}

interface LaneProps {
  readonly marks: readonly Mark[];
  readonly kinds: readonly Mark["kind"][];
  readonly place: (at: number) => string;
}

/** Up is what leaves the page, down is what comes. */
function Lane({ marks, kinds, place }: LaneProps) {
  return (
    <span className="timeline-lane">
      {marks
        .filter(({ kind }) => kinds.includes(kind))
        .map((mark, key) => (
          <Glyph key={key} mark={mark} place={place} />
        ))}
    </span>
  );
}

function Glyph({ mark, place }: { readonly mark: Mark; readonly place: (at: number) => string }) {
  return (
    <svg
      className="glyph"
      viewBox="-6 -6 12 12"
      data-mark={mark.kind}
      style={{ left: place(mark.at) }}
      aria-hidden="true"
    >
      <path d={SHAPES[mark.kind]} />
    </svg>
  );
}

function Legend() {
  return (["sent", "acknowledged", "received", "closed"] as const).map((kind) => (
    <span key={kind} className="timeline-legend">
      <svg className="glyph" viewBox="-6 -6 12 12" data-mark={kind} aria-hidden="true">
        <path d={SHAPES[kind]} />
      </svg>
      {kind === "acknowledged" ? "confirmed" : kind}
    </span>
  ));
}

function lasting(from: number, to: number, isLast: boolean): string {
  return isLast ? `, since ${formatTime(from)}` : `, for ${seconds(to - from)} from ${formatTime(from)}`;
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
}

const PAST_MS = 60_000;
/** The longest wait between two attempts, with its spread. */
const NEXT_MS = 8_000;
/** How near the pointer must be to a mark, so that it is meant. */
const NEAR_MS = 700;

const LABELS: Readonly<Record<Snapshot["phase"], string>> = {
  idle: "not connected",
  connecting: "connecting",
  open: "open",
  closing: "closing",
  waiting: "waited",
  offline: "offline",
  logged_out: "logged out",
  given_up: "gave up",
  fatal: "stopped",
};

const SHAPES: Readonly<Record<Mark["kind"], string>> = {
  sent: "M0 -4.5L4.5 3.5H-4.5Z",
  acknowledged: "M-4 0.5L-1.2 3.4L4 -3.2",
  failed: "M0 -4.5V1.2M0 3.2V4.5",
  received: "M0 4.5L4.5 -3.5H-4.5Z",
  closed: "M-3.5 -3.5L3.5 3.5M3.5 -3.5L-3.5 3.5",
};
