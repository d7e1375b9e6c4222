// `crypto.randomUUID` exists only in secure contexts, and the demo may be opened over plain http in a local network.
export function randomId(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
