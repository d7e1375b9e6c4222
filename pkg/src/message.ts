import * as host from "../wasm/host.js";
import type { EverwireError } from "./errors.js";
import type { MessageStatus } from "./types.js";

/** What `send()` returns for a message that was accepted. The client moves it; the application watches. */
export class Message {
  status: MessageStatus;
  readonly isEphemeral: boolean;
  readonly isDurable: boolean;
  readonly #cancel: (message: Message) => boolean;
  readonly #listeners = new Set<() => void>();
  #isDone: boolean;
  #error: EverwireError | undefined;

  constructor(
    status: MessageStatus,
    isDone: boolean,
    isEphemeral: boolean,
    isDurable: boolean,
    cancel: (message: Message) => boolean,
  ) {
    this.status = status;
    this.#isDone = isDone;
    this.isEphemeral = isEphemeral;
    this.isDurable = isDurable;
    this.#cancel = cancel;
  }

  /** Takes note of news. Moves forward only, and not at all after a failure. */
  move(status: MessageStatus, error?: EverwireError, isDone = status !== "sent"): void {
    if (this.#error || (!error && ORDER.indexOf(status) <= ORDER.indexOf(this.status))) return;
    this.status = status;
    this.#error = error;
    this.#isDone = isDone;
    host.callAll(this.#listeners);
  }

  cancel(): boolean {
    return this.#cancel(this);
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
    return host.listen(this.#listeners, listener);
  }
}

const ORDER: readonly MessageStatus[] = ["queued", "sent", "acknowledged", "delivered", "read"];
