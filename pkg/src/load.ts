import { initSync } from "../wasm/everwire.js";
import { error } from "../wasm/host.js";
import type { Core } from "./client.js";
import type { EverwireError } from "./errors.js";

/** Instantiates a compiled module; may be called once. */
export function instantiate(module: WebAssembly.Module): Core {
  return initSync(module);
}

/** Says what to do about a module that did not compile. */
export function explain(cause: unknown): EverwireError {
  const text = String(cause);
  if (/content security policy|unsafe-eval|blocked by CSP/i.test(text)) {
    return error(
      "wasm_blocked",
      "the page's Content Security Policy needs 'wasm-unsafe-eval' in its script-src",
      cause,
    );
  }
  return error("wasm_failed", `the WebAssembly module could not be loaded: ${text}`, cause);
}
