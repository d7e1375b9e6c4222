import type { TypingRule } from "./typing.js";

/** One user's typing, without a clock: key presses go in with the time in milliseconds, and few announcements come out. */
export interface Announcer {
  /** The user has pressed a key. */
  keyPressed(now: number): void;
  /** The user has stopped; that is announced only if the typing was. */
  stopped(): void;
  /** Nobody can be told any more. */
  forget(): void;
  /** When to call `timeout()`; infinite if nothing is due. */
  pollTimeout(): number;
  timeout(now: number): void;
}

export function announcer(rule: TypingRule, announce: (isTyping: boolean) => void): Announcer {
  let isAnnounced = false;
  /** Whether a key was pressed that no announcement covers yet. */
  let isKeyNew = false;
  /** Before this an announcement would be too early. */
  let sayAt = Infinity;
  let stopAt = Infinity;

  const say = (now: number): void => {
    isAnnounced = true;
    isKeyNew = false;
    sayAt = now + rule.repeatMs;
    announce(true);
  };
  const stopped = (): void => {
    const wasAnnounced = isAnnounced;
    forget();
    if (wasAnnounced) announce(false);
  };
  const forget = (): void => {
    isAnnounced = isKeyNew = false;
    sayAt = stopAt = Infinity;
  };
  return {
    keyPressed: (now) => {
      stopAt = now + rule.stopMs;
      isKeyNew = true;
      if (sayAt !== Infinity) return;
      if (isAnnounced || rule.debounceMs === 0) say(now);
      else sayAt = now + rule.debounceMs;
    },
    stopped,
    forget,
    pollTimeout: () => Math.min(sayAt, stopAt),
    timeout: (now) => {
      if (now >= stopAt) stopped();
      if (now < sayAt) return;
      sayAt = Infinity;
      if (isKeyNew) say(now);
    },
  };
}
