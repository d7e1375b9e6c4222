import { TestServerError } from "./problem.js";

/** Lets a test wait without a clock, and keeps it from waiting for ever. */
export class Pace {
  readonly #waiting = new Set<() => void>();
  readonly #isEndless: () => void;
  #deliveries = 0;
  /** Deliveries since the event loop has turned. */
  #withoutPause = 0;

  /** @param isEndless Called when so much is delivered without a pause that it looks like no end. */
  constructor(isEndless: () => void) {
    this.#isEndless = isEndless;
  }

  /** Something has arrived. Microtasks come before everything else, so two sides that answer each other for ever would hang the test. */
  delivered(): void {
    this.#deliveries++;
    if (!hasRealClock) return;
    if (this.#withoutPause++ === 0) {
      realTimeout(() => {
        this.#withoutPause = 0;
      }, 0);
    }
    if (this.#withoutPause < MAX_WITHOUT_PAUSE) return;
    this.#withoutPause = 1;
    this.#isEndless();
  }

  /** Resolves when nothing arrives any more. */
  async calm(): Promise<void> {
    for (let seen = -1; seen !== this.#deliveries; ) {
      seen = this.#deliveries;
      for (let turn = 0; turn < CALM_TURNS; turn++) await Promise.resolve();
    }
  }

  /** Looks again whenever something has happened, until there is something to find. */
  until<T>(find: () => T | undefined, complaint: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      let guard: ReturnType<typeof setTimeout> | undefined;
      const look = () => {
        const found = find();
        if (found === undefined) return false;
        this.#waiting.delete(look);
        clearRealTimeout(guard);
        resolve(found);
        return true;
      };
      if (look()) return;
      this.#waiting.add(look);
      if (!hasRealClock) return;
      guard = realTimeout(() => {
        this.#waiting.delete(look);
        reject(new TestServerError(complaint()));
      }, PATIENCE_MS);
    });
  }

  /** Something has happened. */
  wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** The clock of the machine. What depends on it only ends a test that would hang. */
const realTimeout = globalThis.setTimeout;
const clearRealTimeout = globalThis.clearTimeout;
/** Fake timers carry their clock. */
const hasRealClock = !("clock" in realTimeout);

/** How long a test waits for something that must happen by itself. */
const PATIENCE_MS = 2_000;
/** How many promises may stand between what arrives and what that causes. */
const CALM_TURNS = 100;
const MAX_WITHOUT_PAUSE = 50_000;
