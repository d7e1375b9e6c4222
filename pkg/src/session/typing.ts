import { type Alarm, alarm } from "./alarm.js";
import { type Announcer, announcer } from "./announcer.js";

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

/** Turns the key presses of one user in one session into few announcements: one at the beginning, some while it goes on, one at the end. */
export class TypingAnnouncer {
  readonly #announcer: Announcer;
  #alarm: Alarm;

  /** Calls `announce` with `true` when the user types or still types, and with `false` when that is over. The rule is CoLabMatch's by default. */
  constructor(announce: (isTyping: boolean) => void, rule: TypingRule = COLABMATCH_TYPING) {
    this.#announcer = announcer(rule, announce);
  }

  /** The user has pressed a key. */
  readonly keyPressed = (): void => this.#act((announcer) => announcer.keyPressed(performance.now()));

  /** The user has stopped: the message is sent, the field is empty, or the component goes away. Says so only if typing was announced. */
  readonly stopped = (): void => this.#act((announcer) => announcer.stopped());

  #act(act: (announcer: Announcer) => void): void {
    try {
      act(this.#announcer);
    } finally {
      clearTimeout(this.#alarm);
      this.#alarm = alarm(this.#due, this.#announcer.pollTimeout() - performance.now());
    }
  }

  readonly #due = (): void => this.#act((announcer) => announcer.timeout(performance.now()));
}
