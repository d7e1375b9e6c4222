import { initSync } from "../../wasm-socketio/everwire.js";
import { wasmText } from "../../wasm-socketio/inline.js";
import { error } from "../errors.js";
import { explain } from "../wasmFailure.js";
import { fromText } from "../wasmText.js";

let isLoaded = false;

/** Compiles the WebAssembly module asynchronously. Needed only where `io()` said `wasm_too_large`; harmless elsewhere. */
export async function ready(): Promise<void> {
  if (isLoaded) return;
  try {
    instantiate(await WebAssembly.compile(fromText(wasmText)));
  } catch (cause) {
    throw explain(cause);
  }
}

/** Loads the WebAssembly module with the first client, in about a millisecond. */
export function load(): void {
  if (isLoaded) return;
  try {
    instantiate(new WebAssembly.Module(fromText(wasmText)));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw explain(cause);
    const remedy = '`import { ready } from "everwire/socket.io"` and await ready() first';
    throw error("wasm_too_large", `this browser compiles WebAssembly only asynchronously: ${remedy}`, cause);
  }
}

function instantiate(module: WebAssembly.Module): void {
  initSync({ module });
  isLoaded = true;
}
