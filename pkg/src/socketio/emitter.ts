import { report } from "../host/handlers.js";
import type { AnyListener, ListenerIn } from "./types.js";

/** A listener as it is called, and as the application knows it. */
type Entry = readonly [called: AnyListener, given: unknown];

const NOBODY: readonly Entry[] = [];

/**
 * Who listens to what, with the methods of Socket.IO's emitter. `Own` are the client's own events, `Events` those of the other side. A listener that
 * throws does not stop the others, and its exception is reported like any other.
 */
export class Emitter<Events extends object, Own extends object> {
  readonly #listeners = new Map<string, readonly Entry[]>();
  /** The same as `on`. */
  readonly addEventListener: this["on"] = this.on;
  /** The same as `off`. */
  readonly removeEventListener: this["off"] = this.off;
  /** The same as `off`. */
  readonly removeListener: this["off"] = this.off;
  /** The same as `off`. */
  readonly removeAllListeners: this["off"] = this.off;

  /** Adds a listener. */
  on<Name extends (keyof Events | keyof Own) & string>(event: Name, listener: ListenerIn<Events, Own, Name>): this {
    return this.#add(event, listener as AnyListener, listener);
  }

  /** Adds a listener that hears one event of the name. */
  once<Name extends (keyof Events | keyof Own) & string>(event: Name, listener: ListenerIn<Events, Own, Name>): this {
    const called: AnyListener = (...args) => {
      this.#keep(event, ([kept]) => kept !== called);
      (listener as AnyListener).apply(this, args);
    };
    return this.#add(event, called, listener);
  }

  /** Removes a listener, all those of an event, or all. */
  off<Name extends (keyof Events | keyof Own) & string>(event?: Name, listener?: ListenerIn<Events, Own, Name>): this {
    if (event === undefined) this.#listeners.clear();
    else {
      // One registration of several, as there.
      const found = this.#of(event).find(([, given]) => given === listener);
      this.#keep(event, (entry) => listener !== undefined && entry !== found);
    }
    return this;
  }

  /** The listeners of an event. */
  listeners<Name extends (keyof Events | keyof Own) & string>(event: Name): ListenerIn<Events, Own, Name>[] {
    return this.#of(event).map(([, given]) => given as ListenerIn<Events, Own, Name>);
  }

  /** Whether an event has listeners. */
  hasListeners(event: (keyof Events | keyof Own) & string): boolean {
    return this.#listeners.has(event);
  }

  /**
   * Calls the listeners that an event has now.
   *
   * @internal
   */
  tell(event: string, ...args: readonly unknown[]): void {
    this.tellAll(event, args);
  }

  /**
   * The same with the arguments as they are.
   *
   * @internal
   */
  tellAll(event: string, args: readonly unknown[]): void {
    for (const [called] of this.#of(event)) {
      try {
        called.apply(this, args as unknown[]);
      } catch (cause) {
        report(cause);
      }
    }
  }

  #of(event: string): readonly Entry[] {
    return this.#listeners.get(event) ?? NOBODY;
  }

  #add(event: string, ...entry: Entry): this {
    this.#listeners.set(event, [...this.#of(event), entry]);
    return this;
  }

  #keep(event: string, isKept: (entry: Entry) => boolean): void {
    const left = this.#of(event).filter(isKept);
    if (left.length) this.#listeners.set(event, left);
    else this.#listeners.delete(event);
  }
}
