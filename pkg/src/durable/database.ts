import { failure } from "./errors.js";

/** The one object store, opened when it is needed and again when the browser has taken it away. */
export class Database {
  #opening: Promise<IDBDatabase> | undefined;

  /**
   * Runs `work` in a transaction and resolves once that is complete. What fails is tried once more on a fresh connection, so `work`
   * must be repeatable.
   */
  async run<T>(durability: IDBTransactionDurability, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    const database = await this.#open();
    try {
      return await transact(database, durability, work);
    } catch (cause) {
      // Another try would find the disk as full.
      if ((cause as Error).name === "QuotaExceededError") throw cause;
      this.close();
      return transact(await this.#open(), durability, work);
    }
  }

  /** Closes once what runs is complete; `run` opens again. */
  close(): void {
    this.#opening?.then((database) => database.close(), ignore);
    this.#opening = undefined;
  }

  #open(): Promise<IDBDatabase> {
    if (this.#opening) return this.#opening;
    const lost = () => {
      if (this.#opening === opening) this.#opening = undefined;
    };
    const opening = within(connect(lost), (database) => database.close());
    opening.catch(lost);
    this.#opening = opening;
    return opening;
  }
}

/** The result of a request. With `lenient`, a record that cannot be read is `undefined`, and the transaction goes on. */
export function ask<T>(request: IDBRequest<T>): Promise<T>;
export function ask<T>(request: IDBRequest<T>, lenient: true): Promise<T | undefined>;
export function ask<T>(request: IDBRequest<T>, lenient?: boolean): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      if (!lenient) return reject(request.error);
      event.preventDefault();
      resolve(undefined);
    };
  });
}

/** Rejects when there is no answer in time; `tooLate` then gets one that comes after all. */
export function within<T>(answer: Promise<T>, tooLate: (answer: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        failure(
          "storage_unavailable",
          "the browser's storage does not answer: reload the page, or close its other tabs",
        ),
      );
      answer.then(tooLate, ignore);
    }, DEADLINE_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export const ignore = (): void => {};

async function connect(lost: () => void): Promise<IDBDatabase> {
  if (!globalThis.indexedDB) throw failure("storage_unavailable", "this page has no IndexedDB: nothing can be stored");
  const request = indexedDB.open("everwire", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  const database = await ask(request);
  // A page that holds on to its connection would keep another from upgrading or deleting the database.
  database.onversionchange = () => {
    lost();
    database.close();
  };
  database.onclose = lost;
  return database;
}

async function transact<T>(
  database: IDBDatabase,
  durability: IDBTransactionDurability,
  work: (store: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const transaction = database.transaction(STORE, "readwrite", { durability });
  const ended = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? failure("storage_failed", "the browser aborted the transaction"));
  });
  const [result] = await Promise.all([work(transaction.objectStore(STORE)), ended]);
  return result;
}

const STORE = "messages";
const DEADLINE_MS = 2_000;
