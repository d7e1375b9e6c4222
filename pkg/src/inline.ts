import { wasmHex } from "../wasm/inline.js";

/** The bytes of the WebAssembly module. */
export function bytes(): Uint8Array<ArrayBuffer> {
  // Loops are slow before they are compiled: this one takes milliseconds, where the browser's own decoder takes none.
  const native = Uint8Array as { fromHex?: (text: string) => Uint8Array<ArrayBuffer> };
  if (native.fromHex) return native.fromHex(wasmHex);
  const bytes = new Uint8Array(wasmHex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = 16 * digit(2 * i) + digit(2 * i + 1);
  return bytes;
}

function digit(index: number): number {
  const code = wasmHex.charCodeAt(index);
  // The low four bits of 1 to 9 are their value, those of a to f are 1 to 6.
  return code < 58 ? code & 15 : (code & 15) + 9;
}
