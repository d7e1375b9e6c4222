import * as FakeTimers from "@sinonjs/fake-timers";

/** How a virtual clock begins. */
export interface VirtualClockOptions {
  /** The time at the beginning, in milliseconds since the epoch, or a date. Default 2026-01-01T00:00:00Z. */
  readonly now?: number | Date | undefined;
  /** Whose mistakes `advance()` throws, so that they are seen where they happen. Default: nobody's; then `server.settled()` and `server.close()` throw them. */
  readonly server?: Settling | readonly Settling[] | undefined;
}

/** The part of a server that a clock waits for. */
export interface Settling {
  /** Resolves once nothing is on its way any more. */
  settled(): Promise<void>;
}

/** A clock that stands still until the test moves it. */
export interface VirtualClock {
  /** The time, in milliseconds since the epoch. */
  readonly now: number;
  /**
   * Moves the clock, and calls every timer that becomes due, in order; between two of them, promises that are settled go on. Resolves when also what the last one caused has
   * gone on.
   *
   * @throws what the timers throw, and what `settled()` of the clock's servers does.
   */
  advance(ms: number): Promise<void>;
  /** Moves the clock to the next timer, and resolves with how far that was; 0 if there is none. */
  advanceToNext(): Promise<number>;
  /** How many timers wait. */
  readonly timers: number;
  /** Puts the real clock back. Timers that wait are never called. */
  uninstall(): void;
  /** {@inheritDoc uninstall} */
  [Symbol.dispose](): void;
}

/**
 * Replaces the timers, `Date` and `performance.now` of the global scope until `uninstall()`, for suites whose runner has no fake timers, such as `node:test`. With vitest or jest,
 * use theirs. `queueMicrotask` and `process.nextTick` stay as they are, because promises need them.
 *
 * @throws TypeError if the clock is already a fake one.
 */
export function virtualClock({ now = BEGINNING, server = [] }: VirtualClockOptions = {}): VirtualClock {
  if ((Date as { readonly isFake?: boolean }).isFake) {
    throw new TypeError(
      "fake timers are installed already: call vi.useRealTimers(), or uninstall() of the other clock, first",
    );
  }
  const clock = FakeTimers.install({ now, toNotFake: ["nextTick", "queueMicrotask"] });
  const servers = [server].flat() as readonly Settling[];
  const settle = async () => {
    for (const one of servers) await one.settled();
  };
  const uninstall = () => clock.uninstall();
  return {
    get now() {
      return clock.now;
    },
    get timers() {
      return clock.countTimers();
    },
    async advance(ms) {
      await settle();
      await clock.tickAsync(ms);
      await settle();
    },
    async advanceToNext() {
      const before = clock.now;
      await settle();
      await clock.nextAsync();
      await settle();
      return clock.now - before;
    },
    uninstall,
    [Symbol.dispose]: uninstall,
  };
}

const BEGINNING = Date.UTC(2026, 0, 1);
