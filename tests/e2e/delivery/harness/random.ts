import { env } from "node:process";

/** Randomness that a seed repeats (mulberry32). `EVERWIRE_SEED` chooses another one. */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(usual: number) {
    this.seed = Number(env["EVERWIRE_SEED"] ?? usual);
    this.#state = this.seed;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return least + Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * (most - least + 1));
  }

  one<T>(choices: readonly T[]): T {
    const choice = choices[this.between(0, choices.length - 1)];
    if (choice === undefined) throw new Error("there is nothing to choose from");
    return choice;
  }
}
