import { setMaxListeners } from "node:events";

interface Waiting {
  readonly clientId: string;
  readonly lock: (lock: { name: string } | null) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Takes the place of `navigator.locks`: exclusive locks, first come first served. */
export class StandInLocks {
  readonly #queues = new Map<string, Waiting[]>();
  /** How often each lock was granted. */
  readonly granted: string[] = [];
  /** The page that asks for the next locks, as the browser names it. */
  clientId = "page";

  get held(): string[] {
    return [...this.#queues.keys()].sort();
  }

  /** The locks that somebody waits for. */
  get awaited(): string[] {
    return [...this.#queues].flatMap(([name, [, ...waiting]]) => waiting.map(() => name)).sort();
  }

  request(
    name: string,
    { ifAvailable, signal }: { ifAvailable?: boolean; signal?: AbortSignal },
    lock: Waiting["lock"],
  ): Promise<unknown> {
    const { clientId } = this;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const queue = this.#queues.get(name);
      const waiting = { clientId, lock, resolve, reject };
      if (queue === undefined) {
        this.#queues.set(name, [waiting]);
        queueMicrotask(() => this.#grant(name));
      } else if (ifAvailable) {
        queueMicrotask(() => resolve(lock(null)));
      } else {
        queue.push(waiting);
        if (signal) setMaxListeners(0, signal);
        signal?.addEventListener("abort", () => {
          const place = queue.indexOf(waiting);
          if (place > 0) queue.splice(place, 1);
          reject(signal.reason);
        });
      }
    });
  }

  async query(): Promise<LockManagerSnapshot> {
    const held = [...this.#queues].map(([name, [holder]]) => ({ name, clientId: holder?.clientId }) as LockInfo);
    return { held, pending: [] };
  }

  /** Frees a lock whose page has died. */
  bereave(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new Error(`nobody holds ${name}`);
    queue.shift();
    if (queue.length > 0) this.#grant(name);
    else this.#queues.delete(name);
  }

  #grant(name: string): void {
    const first = this.#queues.get(name)?.[0];
    if (first === undefined) return;
    this.granted.push(name);
    Promise.resolve(first.lock({ name }))
      .then(first.resolve, first.reject)
      .then(() => {
        if (this.#queues.get(name)?.[0] === first) this.bereave(name);
      });
  }
}
