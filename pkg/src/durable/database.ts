import { failure, UNAVAILABLE } from "./errors.js";

type Work<T> = (store: IDBObjectStore) => Promise<T>;

/** The one object store, opened when it is needed and again when the browser has taken it away. */
export interface Database {
  /**
   * Runs `work` in a transaction and resolves once that is complete. What fails is tried once more on a fresh connection, so `work`
   * must be repeatable.
   */
  run<T>(work: Work<T>, durability?: IDBTransactionDurability): Promise<T>;
  /** Closes once what runs is complete; `run` opens again. */
  close(): void;
}

export function makeDatabase(): Database {
  let opening: Promise<IDBDatabase> | undefined;

  const open = () => {
    if (!opening) {
      const lost = () => {
        if (opening === own) opening = undefined;
      };
      const own = connect(lost);
      own.catch(lost);
      opening = own;
    }
    return within(opening);
  };

  const close = () => {
    opening?.then((database) => database.close(), ignore);
    opening = undefined;
  };

  const run = async <T>(work: Work<T>, durability?: IDBTransactionDurability, isRepeated?: boolean): Promise<T> => {
    try {
      return await transact(await open(), work, durability);
    } catch (cause) {
      if (isRepeated) throw cause;
      close();
      return run(work, durability, true);
    }
  };

  return { run, close };
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

/** Rejects when there is no answer in time. */
export function within<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(failure(UNAVAILABLE, "the browser's storage does not answer: reload, or close other tabs")),
      DEADLINE_MS,
    );
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export const ignore = (): void => {};

async function connect(lost: () => void): Promise<IDBDatabase> {
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
  work: Work<T>,
  durability: IDBTransactionDurability = "strict",
): Promise<T> {
  const transaction = database.transaction(STORE, "readwrite", { durability });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  const [result] = await Promise.all([work(transaction.objectStore(STORE)), ended]);
  return result;
}

const STORE = "messages";
const DEADLINE_MS = 2_000;
