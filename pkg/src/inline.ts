import { wasmText } from "../wasm/inline.js";
import { fromText } from "./wasmText.js";

/** The bytes of the WebAssembly module. */
export const bytes = (): Uint8Array<ArrayBuffer> => fromText(wasmText);
