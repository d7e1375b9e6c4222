import type { EverwireError } from "./errors.js";
import { Listeners } from "./host/handlers.js";
import type { MessageStatus } from "./sending.js";

/** Who can take back a message of this number. */
interface Owner {
  cancel(seq: number, message: Message): boolean;
}

/** What `send()` returns for a message that was accepted. The client moves it; the application watches. */
export class Message {
  status: MessageStatus;
  readonly #owner: Owner;
  readonly #seq: number;
  readonly #isVolatile: boolean;
  readonly #isDurable: boolean;
  /** Made for the first, because most messages have none. */
  #listeners: Listeners | undefined;
  #isDone: boolean;
  #error: EverwireError | undefined;

  constructor(
    owner: Owner,
    seq: number,
    status: MessageStatus,
    isDone: boolean,
    isVolatile: boolean,
    isDurable: boolean,
  ) {
    this.status = status;
    this.#owner = owner;
    this.#seq = seq;
    this.#isDone = isDone;
    this.#isVolatile = isVolatile;
    this.#isDurable = isDurable;
  }

  get isVolatile(): boolean {
    return this.#isVolatile;
  }

  get isDurable(): boolean {
    return this.#isDurable;
  }

  /** Records how far it has come. Moves forward only, and not at all after a failure. */
  move(status: MessageStatus, error?: EverwireError, isDone = status !== "sent"): void {
    if (this.#error || (!error && ORDER.indexOf(status) <= ORDER.indexOf(this.status))) return;
    this.status = status;
    this.#error = error;
    this.#isDone = isDone;
    this.#listeners?.call();
  }

  cancel(): boolean {
    return this.#owner.cancel(this.#seq, this);
  }

  done(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!this.#isDone) return;
        stop();
        if (this.#error) reject(this.#error);
        else resolve();
      };
      const stop = this.subscribe(look);
      look();
    });
  }

  subscribe(listener: () => void): () => void {
    this.#listeners ??= new Listeners();
    return this.#listeners.add(listener);
  }
}

const ORDER: readonly MessageStatus[] = ["queued", "sent", "acknowledged", "delivered", "read"];
