import { wasmHex } from "../wasm/inline.js";
import { fromHex } from "./hex.js";

/** The bytes of the WebAssembly module. */
export const bytes = (): Uint8Array<ArrayBuffer> => fromHex(wasmHex);
