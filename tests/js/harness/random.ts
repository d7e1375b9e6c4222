import { env } from "node:process";

/** Randomness that a seed repeats (mulberry32). `EVERWIRE_SEED` chooses another one. */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(usual: number) {
    this.seed = Number(env["EVERWIRE_SEED"] ?? usual);
    this.#state = this.seed;
  }

  /** A whole number from 0, below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}
