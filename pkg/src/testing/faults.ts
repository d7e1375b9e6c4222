import type { ConnectionRefusal, FrameFilter, Network } from "./network.js";
import { seededRandom } from "./random.js";

/** How a server comes back. */
export interface RestartOptions {
  /**
   * What it has forgotten then. Default `"nothing"`. `"everything"`: another database, so a new epoch; clients send again what is unacknowledged, and are told of
   * gaps without an end. `"clients"`: the same epoch, and no client is known any more, as after an absence longer than the server remembers; what may have been
   * processed before is then dropped as `unconfirmed`. Joined rooms are forgotten with either.
   */
  readonly forget?: "nothing" | "clients" | "everything" | undefined;
  /** How long it takes no connections, in milliseconds of the test's clock. Default 0. */
  readonly downMs?: number | undefined;
}

/** Which messages are refused, and how. */
export interface MessageRefusal {
  /** The event's type. Default: any. */
  readonly type?: string | undefined;
  /** The `code` of the `error` event, such as `rate_limited`. */
  readonly code: string;
  /** Words for people. Default: the code. */
  readonly message?: string | undefined;
  /** How many messages. Default 1. */
  readonly times?: number | undefined;
}

/** A time, and what goes wrong then. */
export interface FaultStep {
  /** When, in milliseconds of the test's clock after the call of `script()`. */
  readonly at: number;
  /** {@inheritDoc Faults.drop} */
  readonly drop?: true;
  /** {@inheritDoc Faults.offline} */
  readonly offline?: true;
  /** {@inheritDoc Faults.online} */
  readonly online?: true;
  /** {@inheritDoc Faults.silence} */
  readonly silence?: true;
  /** {@inheritDoc Faults.speak} */
  readonly speak?: true;
  /** {@inheritDoc Faults.delay} */
  readonly delay?: number | readonly [least: number, most: number];
  /** Refuses this many attempts, and 0 ends it; see {@link Faults.refuseConnections}. */
  readonly refuse?: number;
  /** {@inheritDoc Faults.loseAcks} */
  readonly loseAcks?: number;
  /** {@inheritDoc Faults.dropNextFrame} */
  readonly dropNextFrame?: true | FrameFilter;
  /** {@inheritDoc Faults.refuseMessages} */
  readonly refuseMessages?: MessageRefusal;
  /** {@inheritDoc Faults.close} */
  readonly close?: number;
  /** {@inheritDoc Faults.restart} */
  readonly restart?: true | RestartOptions;
  /** Anything else. */
  readonly run?: () => void;
}

/** What a fault does to a connection. */
export type FaultAct = "drop" | "silence" | "hold" | "release" | { readonly close: number; readonly reason: string };

/** What faults need of a server. */
export interface FaultTarget {
  readonly network: Network;
  /** Does something to every open connection. */
  each(act: FaultAct): void;
  forget(what: "clients" | "everything"): void;
}

/** What goes wrong, from the call on. Everything is in milliseconds of the test's clock. */
export class Faults {
  readonly #target: FaultTarget;
  readonly #random: () => number;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #endAnnouncement: (() => void) | undefined;

  constructor(target: FaultTarget, seed: number) {
    this.#target = target;
    this.#random = seededRandom(seed);
  }

  /** Every open connection is lost: its client sees 1006 at once, and what is on its way is lost. */
  drop(): void {
    this.#target.each("drop");
  }

  /**
   * There is no network: open connections carry nothing any more without anybody being told, and attempts fail. By default the platform says so, where it is one that does, such as
   * a browser, jsdom and happy-dom: `navigator.onLine` is `false`, and `offline` is dispatched. With `announced: false` a client has to notice by itself.
   */
  offline({ announced = true }: { readonly announced?: boolean } = {}): void {
    this.#target.network.isOffline = true;
    this.#target.each("silence");
    if (announced) this.#announce(false);
  }

  /** The network is back, which is announced if its loss was. */
  online(): void {
    this.#target.network.isOffline = false;
    if (this.#endAnnouncement) this.#announce(true);
  }

  /** The server hangs: connections open and stay open, it reads nothing and says nothing, not even `pong`. */
  silence(): void {
    this.#target.network.isSilent = true;
    this.#target.each("hold");
  }

  /** The server goes on where it hung: what was sent to it meanwhile is processed. */
  speak(): void {
    this.#target.network.isSilent = false;
    this.#target.each("release");
  }

  /**
   * Everything that is sent from now on takes this long in each direction; with a pair, some time between the two, which the server's `seed` repeats. Frames of one
   * connection stay in order. 0 ends it.
   */
  delay(ms: number | readonly [least: number, most: number]): void {
    const [least, most] = typeof ms === "number" ? [ms, ms] : ms;
    if (!(least >= 0 && most >= least))
      throw new TypeError("`delay` must be 0 or more milliseconds, or a pair of them");
    this.#target.network.latency = () => least + Math.floor(this.#random() * (most - least + 1));
  }

  /**
   * The next attempts to connect are refused, after those that are to be refused already. Default: one, with the HTTP status 503, which a client sees as 1006. `{ code: 1008 }` refuses
   * tokens. 0 ends it.
   */
  refuseConnections(times = 1, how: ConnectionRefusal = { http: 503 }): void {
    const { refusals } = this.#target.network;
    if (times === 0) refusals.length = 0;
    for (let left = times; left > 0; left--) refusals.push(how);
  }

  /** The next messages are refused with an `error` event, before any handler sees them. */
  refuseMessages({ type, code, message = code, times = 1 }: MessageRefusal): void {
    for (let left = times; left > 0; left--) this.#target.network.refusedMessages.push({ type, code, message });
  }

  /**
   * The next frame is lost and the connection goes on, which no network does, but a faulty proxy may. In the reliable mode the receiver notices by the numbers. Name a
   * `type`: a client whose `hello` or `welcome` is lost takes the server for one without that mode.
   */
  dropNextFrame(filter: FrameFilter = {}): void {
    this.#target.network.lose(filter);
  }

  /** The next acknowledgements are lost: the messages are processed, and their sender does not know. */
  loseAcks(times = 1): void {
    this.#target.network.lose({ type: "ack", times });
  }

  /** The server closes every connection with this code. */
  close(code: number, reason = ""): void {
    this.#target.each({ close: code, reason });
  }

  /** The server closes every connection with 1012 and comes back. */
  restart({ forget = "nothing", downMs = 0 }: RestartOptions = {}): void {
    this.close(1012, "restarting");
    if (forget !== "nothing") this.#target.forget(forget);
    if (downMs > 0) {
      const { network } = this.#target;
      network.outages++;
      this.#later(downMs, () => network.outages--);
    }
  }

  /**
   * Plays steps, each at its time. Returns a function that cancels those that are left.
   *
   * @throws TypeError for a step that names no fault, or none that there is.
   */
  script(steps: readonly FaultStep[]): () => void {
    const timers = steps.map((step) => {
      const { at, ...faults } = step;
      const acts = Object.entries(faults).map(([name, argument]) => this.#act(name, argument));
      if (!(at >= 0) || acts.length === 0) {
        throw new TypeError("a step of a fault script needs `at`, in milliseconds, and a fault such as `drop: true`");
      }
      return this.#later(at, () => {
        for (const act of acts) act();
      });
    });
    return () => {
      for (const timer of timers) this.#cancel(timer);
    };
  }

  /** Cancels what is still to come, and puts the platform's network state back. */
  end(): void {
    for (const timer of this.#timers) this.#cancel(timer);
    this.#endAnnouncement?.();
    this.#endAnnouncement = undefined;
  }

  #act(name: string, argument: unknown): () => void {
    if (name === "run") return argument as () => void;
    if (name === "refuse") return () => this.refuseConnections(argument as number);
    if (!STEPS.has(name))
      throw new TypeError(`there is no fault \`${name}\`; there are ${[...STEPS, "refuse", "run"].join(", ")}`);
    const method = name as "drop";
    return () => (this[method] as (argument?: unknown) => void)(argument === true ? undefined : argument);
  }

  #later(ms: number, act: () => void): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: ReturnType<typeof setTimeout>): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }

  #announce(isOnline: boolean): void {
    this.#endAnnouncement?.();
    this.#endAnnouncement = undefined;
    const { navigator } = globalThis;
    // Who has been told `offline` waits for `online`, so where there are no events nothing is said.
    if (typeof globalThis.dispatchEvent !== "function") return;
    if (!isOnline) {
      const own = Object.getOwnPropertyDescriptor(navigator, "onLine");
      Object.defineProperty(navigator, "onLine", { value: false, configurable: true });
      this.#endAnnouncement = () => {
        if (own) Object.defineProperty(navigator, "onLine", own);
        else Reflect.deleteProperty(navigator, "onLine");
      };
    }
    globalThis.dispatchEvent(new Event(isOnline ? "online" : "offline"));
  }
}

const STEPS = new Set([
  ...["drop", "offline", "online", "silence", "speak", "delay", "loseAcks", "dropNextFrame", "refuseMessages"],
  ...["close", "restart"],
]);
