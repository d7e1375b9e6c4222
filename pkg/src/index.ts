/**
 * The client, with the WebAssembly module inside: nothing to load, no `await init()`.
 *
 * @module everwire
 */

import { Client } from "./client.js";
import type { AnyEvents } from "./envelope.js";
import { error } from "./errors.js";
import { bytes } from "./inline.js";
import { instantiate } from "./load.js";
import type { Options } from "./options.js";
import { lazyClient } from "./page.js";
import { explain } from "./wasmFailure.js";

export * from "./api.js";
export { optionsFromEnv } from "./env.js";
export { EMOTIONS } from "./events.js";
export { configureWebSocket } from "./page.js";

/**
 * One logical connection to a server, over as many WebSockets as it takes.
 *
 * `Events` maps the names of the events that `on` takes to their payloads, `Sends` those that `send` takes; with one map, both
 * take the same. Without a map, every event is accepted.
 */
export class NativeSocketClient<Events extends object = AnyEvents, Sends extends object = Events> extends Client<
  Events,
  Sends
> {
  static override readonly name: string = "NativeSocketClient";

  /** Loads the WebAssembly module with the first client, in about a millisecond. */
  constructor(options?: Options) {
    super(load, options);
  }
}

/**
 * The page's one client, with the options that `configureWebSocket` was given. Importing it makes nothing; its first use does. Components without a
 * provider share it. `dispose()` ends it for the life of the page; between two users call `logout()`.
 */
export const nativeSocketClient: NativeSocketClient = /* @__PURE__ */ lazyClient(NativeSocketClient);

/**
 * Compiles the WebAssembly module asynchronously. Needed only where a constructor said `wasm_too_large`; harmless elsewhere.
 */
export async function ready(): Promise<void> {
  if (isLoaded) return;
  try {
    instantiate(await WebAssembly.compile(bytes()));
    isLoaded = true;
  } catch (cause) {
    throw explain(cause);
  }
}

let isLoaded = false;

function load(): void {
  if (isLoaded) return;
  try {
    instantiate(new WebAssembly.Module(bytes()));
    isLoaded = true;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw explain(cause);
    const remedy = '`import { ready } from "everwire"` and await ready() first';
    throw error("wasm_too_large", `this browser compiles WebAssembly only asynchronously: ${remedy}`, cause);
  }
}
