import type { EverwireError } from "../../errors.js";
import type { Acknowledged } from "./host.js";

/** Hands one event over, and says what becomes of its acknowledgement. Throws if it cannot. */
type Submit = (acknowledged: Acknowledged) => void;

interface Entry {
  readonly submit: Submit;
  readonly acknowledged: Acknowledged;
  tries: number;
  isUnderWay: boolean;
}

/** Sends events again until the server has acknowledged them, in order, and several at a time. They are kept here and not in the queue of the client. */
export class Retries {
  readonly #most: number;
  readonly #capacity: number;
  readonly #isConnected: () => boolean;
  #entries: Entry[] = [];

  constructor(most: number, capacity: number, isConnected: () => boolean) {
    this.#most = most;
    this.#capacity = capacity;
    this.#isConnected = isConnected;
  }

  get isFull(): boolean {
    return this.#entries.length >= this.#capacity;
  }

  add(submit: Submit, acknowledged: Acknowledged): void {
    this.#entries.push({ submit, acknowledged, tries: 0, isUnderWay: false });
    this.resume();
  }

  /** Sends what may be sent: nothing while there is no connection, which ends everything that was under way. */
  resume(): void {
    if (!this.#isConnected()) return;
    for (const entry of this.#entries.slice(0, WINDOW)) if (!entry.isUnderWay) this.#send(entry);
  }

  #send(entry: Entry): void {
    entry.isUnderWay = true;
    try {
      entry.submit((failure, args) => {
        entry.isUnderWay = false;
        // A connection that is lost says nothing about the server's patience.
        if (failure?.code === "timed_out") entry.tries++;
        if (!failure || entry.tries > this.#most) this.#settle(entry, failure, args);
        this.resume();
      });
    } catch (cause) {
      entry.isUnderWay = false;
      this.#settle(entry, cause as EverwireError, []);
    }
  }

  #settle(entry: Entry, ...outcome: Parameters<Acknowledged>): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
    entry.acknowledged(...outcome);
  }
}

/** How many may be unacknowledged at a time. */
const WINDOW = 64;
