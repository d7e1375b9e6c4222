/**
 * Puts what was missed in front of what arrives.
 *
 * Items that arrive live are held from the moment a connection opens until the history is loaded, so that the history's
 * older items come first. Delivering an item twice is left to the receiver, who knows its id.
 */
export class CatchUp<T> {
  readonly #loadHistory: () => Promise<readonly T[]>;
  readonly #deliver: (item: T) => void;
  #held: T[] | null = null;
  #connection = 0;
  #isCaughtUp = false;

  constructor(loadHistory: () => Promise<readonly T[]>, deliver: (item: T) => void) {
    this.#loadHistory = loadHistory;
    this.#deliver = deliver;
  }

  /** Whether everything up to the end of the latest connection was delivered. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** From here on items are held, because older ones are missing. */
  missed(): void {
    this.#connection += 1;
    this.#isCaughtUp = false;
    this.#held ??= [];
  }

  /** From here on nothing is missed: what the history does not have yet will arrive live. */
  async listening(): Promise<void> {
    if (this.#held === null) return;
    const connection = this.#connection;
    const history = await this.#loadHistory().catch(() => null);
    if (connection !== this.#connection) return;
    this.#isCaughtUp = history !== null;
    for (const item of history ?? []) this.#deliver(item);
    this.#release();
  }

  arrived(item: T): void {
    if (this.#held === null) this.#deliver(item);
    else this.#held.push(item);
  }

  disconnected(): void {
    this.#connection += 1;
    this.#release();
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const item of held) this.#deliver(item);
  }
}
