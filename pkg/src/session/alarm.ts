export type Alarm = ReturnType<typeof setTimeout> | undefined;

/** Calls a function after a while, maybe early; with an infinite wait, not at all. */
export const alarm = (act: () => void, delayMs: number): Alarm =>
  delayMs < Infinity ? setTimeout(act, Math.min(delayMs, LONGEST_MS)) : undefined;

/** Browsers take a longer wait for none (HTML, section 8.7). */
const LONGEST_MS = 2 ** 31 - 1;
