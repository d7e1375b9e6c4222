/**
 * The client with the WebAssembly module as a file of its own, which is smaller and cached separately; `await init()` loads it.
 *
 * @module everwire/slim
 */

import { Client } from "./client.js";
import type { AnyEvents } from "./envelope.js";
import { error } from "./errors.js";
import { bytes } from "./inline.js";
import { instantiate } from "./load.js";
import type { Options } from "./options.js";
import { explain } from "./wasmFailure.js";

export * from "./api.js";

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

  /** Throws `not_ready` until {@link init} has finished. */
  constructor(options?: Options) {
    super(load, options);
  }
}

/** Where the WebAssembly module can come from. */
export type WasmSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/**
 * Loads the WebAssembly module, once. Without an argument it is the file beside this one, which the development build has inside; `everwire/wasm` names
 * it for bundlers.
 * Rejects with `wasm_blocked` or `wasm_failed`, and may then be called again.
 */
export function init(
  // Development servers move scripts away from the files beside them.
  source: WasmSource | Promise<WasmSource> = DEVELOPMENT ? bytes() : new URL("./everwire_bg.wasm", import.meta.url),
): Promise<void> {
  loading ??= fetchModule(source).then(
    (module) => {
      instantiate(module);
      isLoaded = true;
    },
    (cause) => {
      loading = undefined;
      throw explain(cause, (source as URL).href);
    },
  );
  return loading;
}

let loading: Promise<void> | undefined;
let isLoaded = false;

function load(): void {
  if (!isLoaded) throw error("not_ready", "await init() before the first client");
}

async function fetchModule(given: WasmSource | Promise<WasmSource>): Promise<WebAssembly.Module> {
  const source = await given;
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  const response = source instanceof Response ? source : await fetch(source);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}
