import { failure } from "./errors.js";

/** The senders whose messages this page, and no other, may send: a Web Lock for each, which the browser frees when the page dies. */
export class Senders {
  readonly #name: string;
  readonly #release = new Map<string, () => void>();
  #closed = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Resolves when it is decided whether this page has the sender: with `ifAvailable` at once, otherwise when the lock is free. */
  take(clientId: string, ifAvailable: boolean): Promise<void> {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    if (!locks) {
      const remedy = "serve the page over https or from localhost, to a browser that has them";
      throw failure(
        "storage_unavailable",
        `this page has no Web Locks, so tabs could send the same message twice: ${remedy}`,
      );
    }
    return new Promise((resolve, reject) => {
      const hold = (lock: Lock | null) => {
        resolve();
        if (!lock || this.#closed) return;
        return new Promise<void>((release) => this.#release.set(clientId, release));
      };
      locks.request(`everwire:${this.#name}:${clientId}`, { ifAvailable }, hold).catch(reject);
    });
  }

  has(clientId: string): boolean {
    return this.#release.has(clientId);
  }

  /** Lets another page have the sender. */
  release(clientId: string): void {
    this.#release.get(clientId)?.();
    this.#release.delete(clientId);
  }

  /** Lets go of every sender, also of those whose locks are granted later. */
  close(): void {
    this.#closed = true;
    for (const clientId of this.#release.keys()) this.release(clientId);
  }
}
