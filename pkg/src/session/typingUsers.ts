import { attempt } from "./attempt.js";
import { COLABMATCH_TYPING, type TypingRule } from "./typing.js";

/** Which other users type in one session: a store for any UI library. */
export class TypingUsers {
  readonly #clearMs: number;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #listeners = new Set<() => void>();
  #snapshot: readonly string[] = [];

  /** Of the rule only `clearMs` counts here. */
  constructor(rule: Pick<TypingRule, "clearMs"> = COLABMATCH_TYPING) {
    this.#clearMs = rule.clearMs;
  }

  /** A user types, or has stopped. Somebody who is not heard of again is forgotten after `clearMs`. Of more than 1 000 at once, the latest are left out. */
  heard(userId: string, isTyping: boolean): void {
    const timer = this.#timers.get(userId);
    if (isTyping ? timer === undefined && this.#timers.size >= MOST_USERS : timer === undefined) return;
    clearTimeout(timer);
    if (!isTyping) this.#timers.delete(userId);
    else
      this.#timers.set(
        userId,
        setTimeout(() => this.heard(userId, false), this.#clearMs),
      );
    if (isTyping === (timer === undefined)) this.#changed();
  }

  /** Forgets everybody, and stops the timers. */
  clear(): void {
    if (this.#timers.size === 0) return;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#changed();
  }

  /** The users who type, in the order in which they began. The same array until somebody begins or stops. */
  readonly getSnapshot = (): readonly string[] => this.#snapshot;

  /** Calls `listener` whenever somebody begins or stops; one that throws does not stop the others. Returns a function that ends the subscription. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  };

  #changed(): void {
    this.#snapshot = Object.freeze([...this.#timers.keys()]);
    for (const listener of [...this.#listeners]) attempt(listener);
  }
}

const MOST_USERS = 1_000;
