/** When to say that a user types, and for how long to believe it. All times in milliseconds. */
export interface TypingRule {
  /**
   * How long to wait after the first key before saying so; with 0 it is said at once. Further keys do not prolong the wait, for then steady
   * typing would not be seen before its end.
   */
  readonly debounceMs: number;
  /**
   * How long after having said so it is said again, if keys were pressed since. Servers take typing for over 2 000 ms after they last heard of it, so a
   * higher value makes the indicator of a steady typist blink.
   */
  readonly repeatMs: number;
  /** How long after the last key the user has stopped. */
  readonly stopMs: number;
  /** How long another user is believed to type who was not heard of since: what would have ended it may be lost. */
  readonly clearMs: number;
}

/** Typing in CoLabMatch: said at once. */
export const COLABMATCH_TYPING: TypingRule = { debounceMs: 0, repeatMs: 1_500, stopMs: 2_000, clearMs: 3_000 };

/** Typing in MasterX: said after 300 ms, so that a single key or a message that is sent quickly shows nothing. */
export const MASTERX_TYPING: TypingRule = { debounceMs: 300, repeatMs: 1_500, stopMs: 2_000, clearMs: 3_000 };

type Timer = ReturnType<typeof setTimeout>;

/** Turns the key presses of one user in one session into few announcements: one at the beginning, some while it goes on, one at the end. */
export class TypingAnnouncer {
  readonly #announce: (isTyping: boolean) => void;
  readonly #rule: TypingRule;
  #isAnnounced = false;
  /** Whether a key was pressed that no announcement covers yet. */
  #isKeyNew = false;
  /** Runs while an announcement would be too early. */
  #early: Timer | undefined;
  #stop: Timer | undefined;

  /** Calls `announce` with `true` when the user types or still types, and with `false` when that is over. The rule is CoLabMatch's by default. */
  constructor(announce: (isTyping: boolean) => void, rule: TypingRule = COLABMATCH_TYPING) {
    this.#announce = announce;
    this.#rule = rule;
  }

  /** The user has pressed a key. */
  readonly keyPressed = (): void => {
    clearTimeout(this.#stop);
    this.#stop = setTimeout(this.stopped, this.#rule.stopMs);
    this.#isKeyNew = true;
    if (this.#early !== undefined) return;
    if (this.#isAnnounced || this.#rule.debounceMs === 0) this.#say();
    else this.#early = setTimeout(this.#due, this.#rule.debounceMs);
  };

  /** The user has stopped: the message is sent, the field is empty, or the component goes away. Says so only if typing was announced. */
  readonly stopped = (): void => {
    clearTimeout(this.#stop);
    clearTimeout(this.#early);
    this.#early = undefined;
    this.#isKeyNew = false;
    if (!this.#isAnnounced) return;
    this.#isAnnounced = false;
    this.#announce(false);
  };

  readonly #due = (): void => {
    this.#early = undefined;
    if (this.#isKeyNew) this.#say();
  };

  #say(): void {
    this.#isAnnounced = true;
    this.#isKeyNew = false;
    this.#early = setTimeout(this.#due, this.#rule.repeatMs);
    this.#announce(true);
  }
}
