import {
  type DurableOutboxOptions,
  durableOutbox,
  type Outbox,
  type OutboxError,
  type StoredMessage,
} from "everwire/durable";
import { IDBDatabase, IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { afterEach, beforeEach, vi } from "vitest";
import { StandInLocks } from "./standInLocks";

/** An empty browser for every test. */
export function useStorage(): { locks: StandInLocks; kill: (...senders: string[]) => void } {
  const kill = (...senders: string[]) => {
    for (const sender of senders) {
      browser.locks.bereave(`everwire:default:${sender}`);
      // Nothing of a dead page hears of anything any more.
      pages.get(sender)?.close();
    }
  };
  const browser = { locks: new StandInLocks(), kill };
  const outboxes: Outbox[] = [];
  closeLater = (outbox) => outboxes.push(outbox);
  beforeEach(() => {
    browser.locks = new StandInLocks();
    vi.stubGlobal("indexedDB", new IDBFactory());
    vi.stubGlobal("IDBKeyRange", IDBKeyRange);
    vi.stubGlobal("navigator", { locks: browser.locks });
  });
  afterEach(() => {
    for (const outbox of outboxes.splice(0)) outbox.close();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
  return browser;
}

/** Takes the place of a window that can come back from the back/forward cache. */
export function useWindow(): { show: (persisted: boolean) => void; reload: () => void; listeners: Set<unknown> } {
  const target = new EventTarget();
  const listeners = new Set<unknown>();
  const reload = vi.fn();
  vi.stubGlobal("location", { href: "http://page.test/", reload });
  vi.stubGlobal("addEventListener", (type: string, listener: EventListener) => {
    listeners.add(listener);
    target.addEventListener(type, listener);
  });
  vi.stubGlobal("removeEventListener", (type: string, listener: EventListener) => {
    listeners.delete(listener);
    target.removeEventListener(type, listener);
  });
  const show = (persisted: boolean) => target.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
  return { show, reload, listeners };
}

const pages = new Map<string, Outbox>();

let closeLater: (outbox: Outbox) => void = () => {};

export function outboxOf(options?: Partial<DurableOutboxOptions>): Outbox {
  const outbox = durableOutbox({ name: "default", ...options });
  closeLater(outbox);
  return outbox;
}

/** A page's outbox and what it adopted. */
export async function openPage(clientId: string, options?: Partial<DurableOutboxOptions>) {
  const outbox = outboxOf(options);
  pages.set(clientId, outbox);
  const inherited: StoredMessage[] = [];
  const adopted = await outbox.open(clientId, (messages) => inherited.push(...messages));
  return {
    outbox,
    adopted,
    /** What it adopted later. */
    inherited,
    put: (seq: number, more?: Partial<StoredMessage>) => outbox.put(message(clientId, seq, more)),
  };
}

export const message = (clientId: string, seq: number, more?: Partial<StoredMessage>): StoredMessage => ({
  clientId,
  seq,
  frame: `{"type":"note","data":{"secret":${seq}}}`,
  bytes: 32,
  purpose: 1,
  session: undefined,
  expiresAt: null,
  createdAt: 1_750_000_000_000,
  ...more,
});

/** Messages as short texts, such as `a1`. */
export const names = (messages: readonly StoredMessage[]): string[] =>
  messages.map(({ clientId, seq }) => `${clientId}${seq}`);

export const refusal = (promise: Promise<unknown>): Promise<OutboxError> =>
  promise.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: OutboxError) => error,
  );

/** What is in the database, by key. */
export async function stored(): Promise<Map<string, unknown>> {
  const store = await rawStore();
  const [keys, values] = await Promise.all([result(store.getAllKeys()), result(store.getAll())]);
  store.transaction.db.close();
  return new Map(keys.map((key, index) => [JSON.stringify(key), values[index]]));
}

/** Writes into the database behind the outbox's back. */
export async function plant(key: IDBValidKey, value: unknown): Promise<void> {
  const store = await rawStore();
  await result(store.put(value, key));
  store.transaction.db.close();
}

async function rawStore(): Promise<IDBObjectStore> {
  const request = indexedDB.open("everwire", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("messages");
  const database = await result(request);
  return database.transaction("messages", "readwrite").objectStore("messages");
}

export const result = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Makes the next transactions fail with these errors, one each; `undefined` is an abort without a reason. */
export function failTransactions(...errors: (DOMException | undefined)[]): { readonly tried: () => number } {
  let tried = 0;
  const transaction = IDBDatabase.prototype.transaction;
  vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function (this: IDBDatabase, ...args) {
    const made = transaction.apply(this, args);
    if (tried++ < errors.length) {
      Object.defineProperty(made, "error", { value: errors[tried - 1] ?? null });
      setImmediate(() => {
        made.abort();
      });
    }
    return made;
  });
  return { tried: () => tried };
}
