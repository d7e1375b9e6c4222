import type { Outbox, StoredMessage } from "everwire";

/** Takes the place of the disk; writes are complete when the test says so. */
export class StandInOutbox implements Outbox {
  /** What was called, in order. */
  readonly calls: string[] = [];
  readonly stored: StoredMessage[] = [];
  readonly #puts: (() => void)[] = [];
  readonly #left: readonly StoredMessage[];
  #finishOpening: (() => void) | undefined;
  #failOpening: ((cause: Error) => void) | undefined;

  /** @param left What earlier pages have left. */
  constructor(left: readonly StoredMessage[] = []) {
    this.#left = left;
  }

  open(clientId: string): Promise<StoredMessage[]> {
    this.calls.push(`open ${clientId}`);
    return new Promise((resolve, reject) => {
      this.#finishOpening = () => resolve([...this.#left]);
      this.#failOpening = reject;
    });
  }

  put(message: StoredMessage): Promise<void> {
    this.calls.push(`put ${message.seq}`);
    this.stored.push(message);
    return new Promise((resolve) => this.#puts.push(resolve));
  }

  acknowledge(clientId: string, seq: number): void {
    this.calls.push(`acknowledge ${clientId} ${seq}`);
  }

  remove(clientId: string, seq: number): void {
    this.calls.push(`remove ${clientId} ${seq}`);
  }

  async wipe(): Promise<void> {
    this.calls.push("wipe");
  }

  close(): void {
    this.calls.push("close");
  }

  opened(): Promise<void> {
    this.#finishOpening?.();
    return settled();
  }

  cannotOpen(cause: Error): Promise<void> {
    this.#failOpening?.(cause);
    return settled();
  }

  /** The oldest writes under way are complete. */
  written(count = 1): Promise<void> {
    for (const resolve of this.#puts.splice(0, count)) resolve();
    return settled();
  }
}

/** A disk that is full. */
export class FullOutbox extends StandInOutbox {
  override async put(message: StoredMessage): Promise<void> {
    this.calls.push(`put ${message.seq}`);
    throw Object.assign(new Error("there is no room"), { name: "OutboxError", code: "storage_full" });
  }
}

/** Everything that waits for promises which are settled has gone on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
