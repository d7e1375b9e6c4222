import { useWebSocket } from "everwire/react";
import { useEffect, useMemo } from "react";
import type { Events, Sends } from "./events";

export interface Typing {
  readonly keyPressed: () => void;
  readonly stopped: () => void;
}

/** Tells the match that this user types. */
export function useTyping(matchId: string): Typing {
  const { emit } = useWebSocket<Events, Sends>();
  const announcer = useMemo(
    () => new TypingAnnouncer((isTyping) => void emit("typing", { match_id: matchId, is_typing: isTyping })),
    [emit, matchId],
  );
  useEffect(() => announcer.stopped, [announcer]);
  return announcer;
}

/** Turns key presses into few frames: the first after a short pause, a repetition while typing goes on, one at the end. */
class TypingAnnouncer implements Typing {
  readonly #announce: (isTyping: boolean) => void;
  #pending: ReturnType<typeof setTimeout> | null = null;
  #idle: ReturnType<typeof setTimeout> | null = null;
  #announcedAt: number | null = null;

  constructor(announce: (isTyping: boolean) => void) {
    this.#announce = announce;
  }

  readonly keyPressed = (): void => {
    this.#pending ??= setTimeout(() => {
      this.#pending = null;
      if (this.#announcedAt !== null && Date.now() - this.#announcedAt < REPEAT_MS) return;
      this.#announcedAt = Date.now();
      this.#announce(true);
    }, DEBOUNCE_MS);
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(this.stopped, IDLE_MS);
  };

  readonly stopped = (): void => {
    if (this.#pending !== null) clearTimeout(this.#pending);
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#pending = null;
    this.#idle = null;
    if (this.#announcedAt === null) return;
    this.#announcedAt = null;
    this.#announce(false);
  };
}

const DEBOUNCE_MS = 300;
const IDLE_MS = 2_000;
// Shorter than the time after which the server takes the typing for over.
const REPEAT_MS = 1_500;
