/** The bytes of a module as they stand in the scripts that have it inside. */
export function wasmText(bytes: Uint8Array): string {
  const marks = ["", " ", "!"];
  const characters = Array.from(bytes, (byte) => marks[Math.floor(byte / 92)] + String.fromCharCode(35 + (byte % 92)));
  return JSON.stringify(characters.join("")).slice(1, -1);
}
