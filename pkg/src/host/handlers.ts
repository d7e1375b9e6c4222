import type { Chats } from "../chat.js";
import { error } from "../errors.js";

/** A handler of any event. */
export type AnyHandler = (data: unknown, message?: unknown) => void;

/** A handler as it is called, and as the application knows it. */
type Entry = readonly [AnyHandler, unknown];

/**
 * The handlers of one client. The list of a name is replaced and never changed, so that a delivery under way keeps the one it started with.
 */
export class Handlers {
  readonly #lists = new Map<string | null, readonly Entry[]>();
  /** Whether there ever was a handler of `null`, that is of every event of the server. */
  hearsAll = false;
  /** Are told before the handlers: here of the client's own events, by the host of what the server has said. */
  chats: Chats | undefined;

  /**
   * Adds a handler, which may be there twice; returns what takes exactly this one away. `given` is what `remove` knows it by.
   */
  add(name: string | null, handler: AnyHandler, given: unknown = handler): () => void {
    const entry: Entry = [handler, given];
    this.hearsAll ||= name === null;
    this.#lists.set(name, [...(this.#lists.get(name) ?? []), entry]);
    return () => this.#keep(name, (known) => known !== entry);
  }

  /** Removes a handler of a name; all of them when none is given. */
  remove(name: string, handler?: unknown): void {
    this.#keep(name, ([, known]) => handler !== undefined && known !== handler);
  }

  has(name: string): boolean {
    return this.#lists.has(name);
  }

  clear(): void {
    this.#lists.clear();
  }

  /**
   * Calls the handlers of a name in order. One that throws does not stop the others and is reported; one that was removed
   * meanwhile is not called. With `null` for `key`, those of every event.
   */
  call(name: string, data: unknown, message?: unknown, key: string | null = name): void {
    if (!message) this.chats?.hear(name, data);
    const list = this.#lists.get(key);
    if (!list) return;
    let now: typeof list | undefined = list;
    for (const entry of list) {
      if (now !== list && !now?.includes(entry)) continue;
      try {
        entry[0](data, message);
      } catch (cause) {
        this.fail(name, cause, "handler");
      }
      now = this.#lists.get(key);
    }
  }

  /** Reports what a function of the application has thrown over an event. */
  fail(name: string, cause: unknown, thrower: "handler" | "schema"): void {
    // A handler of `error` that throws must not be called with its own exception for ever.
    if (name === "error" || !this.has("error")) report(cause);
    else {
      const failure = error(`${thrower}_failed`, `a ${thrower} of "${name}" threw (see \`cause\`)`, cause);
      this.call("error", Object.assign(failure, { event: name }));
    }
  }

  #keep(name: string | null, isKept: (entry: Entry) => boolean): void {
    const left = (this.#lists.get(name) ?? []).filter(isKept);
    if (left.length) this.#lists.set(name, left);
    else this.#lists.delete(name);
  }
}

/** Functions that hear of a change. */
export class Listeners {
  readonly #listeners = new Set<() => void>();

  /** Adds a listener, which may be there twice; returns what takes exactly this one away. */
  add(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Calls every listener; one that throws does not stop the others. */
  call(): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) attempt(listener);
  }

  clear(): void {
    this.#listeners.clear();
  }
}

/** Calls a function whose exception must not stop what comes after it. */
export function attempt(act: () => void): void {
  try {
    act();
  } catch (cause) {
    report(cause);
  }
}

/** Browsers report an exception of a callback themselves (HTML, section 8.1.4.6); other places have a console, which may throw. */
export function report(cause: unknown): void {
  try {
    (globalThis.reportError ?? console.error)(cause);
  } catch (failure) {
    queueMicrotask(() => {
      throw failure;
    });
  }
}
