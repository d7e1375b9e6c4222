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
  /** What was sent in earlier rounds was sent again since, and only its success counts. */
  #round = 0;

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
    const round = this.#round;
    try {
      entry.submit((failure, args) => {
        if (!failure) this.#settle(entry, failure, args);
        else if (round === this.#round) {
          // What is behind it would overtake it. A connection that is lost says nothing about the server's patience.
          if (failure.code === "timed_out") this.#beginRound(failure);
          else entry.isUnderWay = false;
        }
        this.resume();
      });
    } catch (cause) {
      this.#settle(entry, cause as EverwireError, []);
    }
  }

  /** The first of those under way is overdue: all of them are sent again, those that may be. */
  #beginRound(failure: EverwireError): void {
    this.#round++;
    for (const entry of this.#entries.filter(({ isUnderWay }) => isUnderWay)) {
      entry.isUnderWay = false;
      if (++entry.tries > this.#most) this.#settle(entry, failure, []);
    }
  }

  #settle(entry: Entry, ...outcome: Parameters<Acknowledged>): void {
    const left = this.#entries.filter((other) => other !== entry);
    if (left.length === this.#entries.length) return;
    this.#entries = left;
    entry.acknowledged(...outcome);
  }
}

/** How many may be unacknowledged at a time. */
const WINDOW = 64;
