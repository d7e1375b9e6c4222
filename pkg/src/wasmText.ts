/**
 * The bytes that the text of a module stands for (`xtask/src/wasm.rs` writes it): a digit from `#` to `~` stands for 0 to 91, after a space for 92 more, and
 * after an exclamation mark for 184 more.
 */
export function fromText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let base = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 35;
    if (digit < 0) base = (digit + 4) * 92;
    else {
      bytes[length++] = base + digit;
      base = 0;
    }
  }
  return bytes.slice(0, length);
}
