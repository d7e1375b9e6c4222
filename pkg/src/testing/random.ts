/**
 * Random numbers from 0 up to 1 that a seed repeats (mulberry32), for faults and delays that differ and can be had again.
 *
 * @param seed Any number; its lowest 32 bits count.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What {@link seedCrypto} has put in place. */
export interface SeededCrypto {
  /** Puts the platform's own randomness back. Doing it twice is the same as doing it once. */
  restore(): void;
  /** {@inheritDoc restore} */
  [Symbol.dispose](): void;
}

/**
 * Replaces `crypto.getRandomValues` and `crypto.randomUUID` by ones that a seed repeats, until `restore()`.
 *
 * These are all that a client has of randomness: its client id of the reliable mode, and the seed of the jitter of its reconnects. Both are drawn when
 * the client is made, so call this before. Ids that are drawn this way are not unique between test files, and must never leave a test.
 *
 * @param seed Any number; its lowest 32 bits count. Default 1.
 */
export function seedCrypto(seed = 1): SeededCrypto {
  const random = seededRandom(seed);
  const getRandomValues = <T extends ArrayBufferView>(view: T): T => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(random() * 256);
    return view;
  };
  const randomUUID = () => {
    const hex = Array.from(getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const [a, b, c, d, e] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20), hex.slice(20)];
    return `${a}-${b}-4${c}-8${d}-${e}`;
  };
  const target = globalThis.crypto as unknown as Record<string, unknown>;
  const replaced = { getRandomValues, randomUUID };
  const before = Object.keys(replaced).map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const);
  for (const [name, value] of Object.entries(replaced)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
  let isRestored = false;
  const restore = () => {
    if (isRestored) return;
    isRestored = true;
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(target, name, descriptor);
      else delete target[name];
    }
  };
  return { restore, [Symbol.dispose]: restore };
}
