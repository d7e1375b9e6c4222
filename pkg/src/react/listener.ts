import type { Connection } from "../connection.js";

/** A handler of whatever event. */
export type Hear = (data: unknown, message: unknown) => void;

/** Ends the subscriptions of renderings that were never committed, once React has let go of them. */
const abandoned = /* @__PURE__ */ new FinalizationRegistry<() => void>((end) => end());

/**
 * Hears an event from the rendering on in which it is made. A rendering may be interrupted, and what the server says meanwhile is for the component as
 * well. Nobody says that a rendering was thrown away, so `hear` must not refer to the listener.
 */
export class Listener {
  readonly #begin: () => () => void;
  #end: (() => void) | undefined;

  constructor(connection: Connection, event: string, hear: Hear) {
    this.#begin = () => connection.subscribe(event, hear);
    // Servers commit nothing.
    if (!connection.made || typeof window === "undefined") return;
    this.#end = this.#begin();
    abandoned.register(this, this.#end, this);
  }

  /** The rendering is committed. Returns the function that ends the subscription. */
  readonly commit = (): (() => void) => {
    abandoned.unregister(this);
    this.#end ??= this.#begin();
    return () => {
      this.#end?.();
      this.#end = undefined;
    };
  };
}
