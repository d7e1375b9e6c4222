import type { Sql } from "./database.js";
import { refuseToEnd } from "./endings.js";
import { eventOf } from "./event.js";
import type { Memory } from "./memory.js";
import { report } from "./report.js";

/** What code of the application does in one transaction, and what it leaves to be done once that is committed. */
export class Effects {
  /** Those for whom something is stored. */
  readonly users = new Set<string>();
  readonly #sql: Sql;
  readonly #memory: Memory;
  readonly #begun: Promise<unknown>[] = [];
  readonly #after: (() => unknown)[] = [];
  #isOver = false;

  constructor(sql: Sql, memory: Memory) {
    this.#sql = sql;
    this.#memory = memory;
  }

  readonly sql: Sql = (statement, ...values) =>
    this.#begin(async () => {
      refuseToEnd(statement);
      return this.#sql(statement, ...values);
    });

  readonly publish = (user: string, type: string, data: object): Promise<void> =>
    this.#begin(async () => {
      await this.#memory.store(this.#sql, user, "user", eventOf(type, data));
      this.users.add(user);
    });

  readonly afterCommit = (act: () => unknown): void => {
    if (this.#isOver) throw new Error(ENDED);
    this.#after.push(act);
  };

  /** Waits for what was begun and not waited for, and for what follows from that. */
  async settled(): Promise<void> {
    // What is begun meanwhile is behind those that are waited for.
    for (const work of this.#begun) await work.catch(() => {});
  }

  /** Nothing more can begin. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.settled();
  }

  /** Forgets what was to be done after the commit. */
  forget(): void {
    this.#after.length = 0;
  }

  /** Does what was left to be done after the commit. */
  committed(): void {
    for (const act of this.#after) void attempt(act);
  }

  #begin<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#isOver ? Promise.reject(new Error(ENDED)) : work();
    this.#begun.push(done);
    done.catch(() => {});
    return done;
  }
}

const ENDED = "the transaction has ended";

/** What fails behind a commit undoes nothing. */
async function attempt(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    report("what was to be done after a commit", error);
  }
}
