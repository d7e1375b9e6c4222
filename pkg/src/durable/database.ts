import { explain, FAILED, failure, UNAVAILABLE } from "./errors.js";

type Work<T> = (store: IDBObjectStore) => Promise<T>;

/** The one object store, opened when it is needed and again when the browser has taken it away. */
export interface Database {
  /**
   * Runs `work` in a transaction and resolves once that is complete. What fails is tried once more on a fresh connection, so `work`
   * must be repeatable. Rejects when the browser does not answer in time; then it may still happen.
   */
  run<T>(work: Work<T>, durability?: IDBTransactionDurability): Promise<T>;
  /** Closes once what runs is complete; `run` opens again. */
  close(): void;
}

export function makeDatabase(): Database {
  let opening: Promise<IDBDatabase> | undefined;

  const lost = () => {
    opening = undefined;
  };

  const open = () => {
    opening ??= connect(lost).catch((cause) => {
      lost();
      throw explain(cause, UNAVAILABLE);
    });
    return within(opening);
  };

  const close = () => {
    opening?.then((database) => database.close(), ignore);
    lost();
  };

  const attempt = async <T>(work: Work<T>, durability?: IDBTransactionDurability, isRepeated?: boolean): Promise<T> => {
    try {
      return await transact(await open(), work, durability);
    } catch (cause) {
      if (isRepeated) throw explain(cause, FAILED);
      close();
      return attempt(work, durability, true);
    }
  };

  return { run: (work, durability) => within(attempt(work, durability)), close };
}

/** The result of a request. Where a failure is caught, the transaction goes on. */
export function ask<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      event.preventDefault();
      reject(request.error);
    };
  });
}

/** Rejects when there is no answer in time. */
export function within<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = () =>
      reject(failure(UNAVAILABLE, "the browser's storage does not answer: reload, or close other tabs"));
    // In two steps: a page that was busy for long runs its timer before it sees the answer that has arrived.
    const pause = () => {
      timer = setTimeout(expire, DEADLINE_MS / 2);
    };
    let timer = setTimeout(pause, DEADLINE_MS / 2);
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
  const result = work(transaction.objectStore(STORE));
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    // What the requests say, that the transaction was aborted, counts only where it says nothing itself.
    transaction.onabort = () => result.catch((cause) => cause).then((cause) => reject(transaction.error ?? cause));
    // Either everything is stored or nothing; and at once, because a page that goes takes along what is not committed.
    result
      .then(
        () => transaction.commit(),
        () => transaction.abort(),
      )
      .catch(ignore);
  });
  return result;
}

const STORE = "messages";
const DEADLINE_MS = 2_000;
