import { initSync } from "../wasm/everwire.js";

/** Instantiates a compiled module; a second one changes nothing. */
export function instantiate(module: WebAssembly.Module): void {
  initSync({ module });
}
