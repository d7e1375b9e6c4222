import { type EverwireError, error } from "./errors.js";

/** Says what to do about a module that did not load from `url`, if it is known. */
export function explain(cause: unknown, url = ""): EverwireError {
  const text = String(cause);
  if (/content security policy|unsafe-eval|blocked by CSP/i.test(text)) {
    return error(
      "wasm_blocked",
      "the page's Content Security Policy needs 'wasm-unsafe-eval' in its script-src",
      cause,
    );
  }
  return error("wasm_failed", `the WebAssembly module could not be loaded: ${text} ${url}`, cause);
}
