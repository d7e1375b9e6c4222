/** What the pipes of a server share. */
export interface Pipework {
  /** How long something takes that is sent now, in milliseconds. */
  latency(): number;
  /** Hears of everything that comes out of a pipe. */
  delivered(): void;
}

/**
 * One direction of a connection. What is put in comes out in the same order: in a microtask, so that no clock has to move, or after the latency that holds when it is put in,
 * by `setTimeout`.
 */
export class Pipe {
  readonly #work: Pipework;
  #inside: { readonly act: () => void; isDue: boolean }[] = [];
  #isHeld = false;
  #isCut = false;

  constructor(work: Pipework) {
    this.#work = work;
  }

  put(act: () => void): void {
    if (this.#isCut) return;
    const item = { act, isDue: false };
    this.#inside.push(item);
    const arrive = () => {
      item.isDue = true;
      this.#flow();
    };
    const latency = this.#work.latency();
    if (latency > 0) setTimeout(arrive, latency);
    else Promise.resolve().then(arrive);
  }

  /** Keeps everything inside from now on, or lets it out. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld) Promise.resolve().then(() => this.#flow());
  }

  /** What is inside is lost, and so is what is put in later. */
  cut(): void {
    this.#isCut = true;
    this.#inside = [];
  }

  #flow(): void {
    while (!this.#isHeld && this.#inside[0]?.isDue) {
      const next = this.#inside.shift();
      this.#work.delivered();
      next?.act();
    }
  }
}
