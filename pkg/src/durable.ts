import { ask, Database, ignore, within } from "./durable/database.js";
import { explain, failure } from "./durable/errors.js";
import { contentOf, everything, isKey, type Key, keyOf, messageOf, messages } from "./durable/records.js";
import { Senders } from "./durable/senders.js";
import type { Outbox, OutboxError, StoredMessage } from "./outbox.js";

export type { Outbox, OutboxError, OutboxErrorCode, StoredMessage } from "./outbox.js";

/** Whose messages are kept, and how many. */
export interface DurableOutboxOptions {
  /**
   * Whose messages these are. Default `"default"`. It must name the user, and the application if several share the origin: what is
   * found under a name is sent under the token of whoever is logged in. An empty or undefined name throws, because an id that has
   * not been loaded yet would otherwise mix users.
   */
  name?: string;
  /** Most messages on disk, of all tabs and senders of this name. Default 1 000. A whole number from 1. */
  maxMessages?: number;
  /** Most bytes on disk, counted as the sizes of their frames in UTF-8. Default 1 048 576. A whole number from 1. */
  maxBytes?: number;
}

/**
 * An outbox in the browser's IndexedDB, for one client. Touches nothing until it is opened, so it can be made on a server.
 *
 * Each page holds a Web Lock for every sender whose messages it may send. Chromium does not put such a page into the back/forward
 * cache: going back to it loads it anew, and finds the messages on disk.
 *
 * Throws an error with the code `invalid_option` and the option's name in `field` if an option cannot be used.
 */
export function durableOutbox(options: DurableOutboxOptions = {}): Outbox {
  const { maxMessages = 1_000, maxBytes = 1_048_576 } = options;
  const name = "name" in options ? options.name : "default";
  if (typeof name !== "string" || name === "") throw invalid("name", "a text that is not empty, such as the user's id");
  for (const [field, value] of Object.entries({ maxMessages, maxBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalid(field, "a whole number from 1");
  }
  return new DurableOutbox(name, maxMessages, maxBytes);
}

interface Put {
  readonly message: StoredMessage;
  /** The number of wipes that this page knew of. */
  readonly wipes: number;
  readonly resolve: () => void;
  readonly reject: (error: OutboxError) => void;
}

class DurableOutbox implements Outbox {
  readonly #name: string;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #database = new Database();
  readonly #senders: Senders;
  /** The messages that adopted senders still have. */
  readonly #adopted = new Map<string, Set<number>>();
  #wipes = 0;
  #closed = false;

  // What waits for the next transactions, and whether some are under way.
  #puts: Put[] = [];
  #gone: [clientId: string, from: number | undefined, to: number][] = [];
  #working = false;

  constructor(name: string, maxMessages: number, maxBytes: number) {
    this.#name = name;
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
    this.#senders = new Senders(name);
  }

  async open(clientId: string): Promise<StoredMessage[]> {
    try {
      return await within(this.#open(clientId), ignore);
    } catch (cause) {
      this.close();
      throw explain(cause, "storage_unavailable");
    }
  }

  put(message: StoredMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed || !this.#senders.has(message.clientId)) {
        reject(failure("storage_unavailable", "the outbox is not open for this sender: open() it first"));
        return;
      }
      this.#adopted.get(message.clientId)?.add(message.seq);
      this.#puts.push({ message, wipes: this.#wipes, resolve, reject });
      this.#wake();
    });
  }

  acknowledge(clientId: string, seq: number): void {
    this.#forget(clientId, undefined, seq);
  }

  remove(clientId: string, seq: number): void {
    this.#forget(clientId, seq, seq);
  }

  async wipe(): Promise<void> {
    try {
      // What is put but not yet written sees the new number and is refused.
      this.#wipes = await this.#database.run("strict", async (store) => {
        const wipes = 1 + Number((await ask<unknown>(store.get([]))) ?? 0);
        store.delete(everything(this.#name));
        store.put(wipes, []);
        return wipes;
      });
      for (const left of this.#adopted.values()) left.clear();
      this.#releaseEmpty();
    } catch (cause) {
      throw explain(cause, "storage_failed");
    } finally {
      if (this.#closed) this.#letGo();
    }
  }

  close(): void {
    this.#closed = true;
    if (!this.#working) this.#letGo();
  }

  #letGo(): void {
    this.#senders.close();
    this.#database.close();
  }

  async #open(clientId: string): Promise<StoredMessage[]> {
    try {
      await this.#senders.take(clientId, false);
      this.#assertOpen();
      const found = await this.#database.run("relaxed", async (store) => ask(store.getAllKeys(everything(this.#name))));
      const others = new Set(found.filter(isKey).map((key) => key[1]));
      others.delete(clientId);
      this.#assertOpen();
      await Promise.all([...others].map((sender) => this.#senders.take(sender, true)));
      this.#assertOpen();
      const kept = await this.#database.run("relaxed", (store) => this.#collect(store));
      this.#assertOpen();
      for (const sender of others) if (this.#senders.has(sender)) this.#adopted.set(sender, new Set());
      for (const message of kept) this.#adopted.get(message.clientId)?.add(message.seq);
      this.#releaseEmpty();
      return kept;
    } finally {
      // After a deadline nobody else does.
      if (this.#closed) this.#letGo();
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw failure("storage_failed", "the outbox was closed while it opened");
  }

  /** The messages of this page's senders. What a sender had when its lock was free may have changed since, so all is read anew. */
  async #collect(store: IDBObjectStore): Promise<StoredMessage[]> {
    const { wipes, since, keys } = await this.#survey(store);
    this.#wipes = wipes;
    if (since === undefined) store.put(wipes, [this.#name]);
    const now = Date.now();
    const ages = new Map<string, number>();
    const kept: StoredMessage[] = [];
    const read = async (key: Key) => {
      const message = messageOf(key, await ask<unknown>(store.get(key), true));
      if (!message || (message.expiresAt !== null && message.expiresAt <= now)) store.delete(key);
      else kept.push(message);
    };
    const reading = keys.map((key) => {
      if (!isKey(key)) return store.delete(key);
      const [, sender, , , age] = key;
      if (!this.#senders.has(sender)) return undefined;
      ages.set(sender, Math.min(age, ages.get(sender) ?? age));
      return read(key);
    });
    await Promise.all(reading);
    const age = ({ clientId }: StoredMessage) => ages.get(clientId) ?? 0;
    return kept.sort((a, b) => age(a) - age(b));
  }

  /** What is stored of this name, without the messages themselves. */
  async #survey(store: IDBObjectStore): Promise<{ wipes: number; since: number | undefined; keys: IDBValidKey[] }> {
    const [wipes, since, keys] = await Promise.all([
      ask<unknown>(store.get([])),
      ask<number | undefined>(store.get([this.#name])),
      ask(store.getAllKeys(everything(this.#name))),
    ]);
    const isMark = (key: IDBValidKey) => (key as unknown[]).length === 1;
    return { wipes: Number(wipes ?? 0), since, keys: keys.filter((key) => !isMark(key)) };
  }

  #forget(clientId: string, from: number | undefined, to: number): void {
    if (!this.#senders.has(clientId)) return;
    const left = this.#adopted.get(clientId);
    for (const seq of left ?? []) if (seq <= to && seq >= (from ?? seq)) left?.delete(seq);
    this.#gone.push([clientId, from, to]);
    this.#wake();
  }

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    // What else this turn brings goes into the same transaction.
    queueMicrotask(() => void this.#work());
  }

  async #work(): Promise<void> {
    while (this.#puts.length + this.#gone.length > 0) {
      const [puts, gone] = [this.#puts.splice(0), this.#gone.splice(0)];
      if (puts.length > 0) await this.#store(puts);
      if (gone.length > 0) await this.#delete(gone).catch(ignore);
    }
    this.#working = false;
    if (this.#closed) this.#letGo();
  }

  async #store(puts: Put[]): Promise<void> {
    const refused = new Map<Put, OutboxError>();
    try {
      this.#wipes = await this.#database.run("strict", (store) => {
        refused.clear();
        return this.#write(store, puts, refused);
      });
    } catch (cause) {
      const error = explain(cause, "storage_failed");
      for (const put of puts) refused.set(put, error);
    }
    for (const put of puts) {
      const error = refused.get(put);
      if (error) put.reject(error);
      else put.resolve();
    }
  }

  async #write(store: IDBObjectStore, puts: Put[], refused: Map<Put, OutboxError>): Promise<number> {
    const { wipes, since, keys } = await this.#survey(store);
    let count = keys.length;
    let bytes = 0;
    let newest = 0;
    const ages = new Map<string, number>();
    for (const [, sender, , size, age] of keys.filter(isKey)) {
      bytes += size;
      newest = Math.max(newest, age);
      ages.set(sender, age);
    }
    for (const put of puts) {
      const { message } = put;
      // Known to be unwiped since the call if nothing was wiped, or if the name's mark is older than the call.
      const unwiped = wipes === put.wipes || (since !== undefined && since <= put.wipes);
      if (!unwiped) {
        refused.set(put, failure("storage_failed", "the outbox was wiped meanwhile: the user has logged out"));
      } else if (count >= this.#maxMessages || bytes + message.bytes > this.#maxBytes) {
        refused.set(put, failure("storage_full", "the outbox is full: wait for acknowledgements, or raise its bounds"));
      } else {
        const age = ages.get(message.clientId) ?? newest + 1;
        try {
          store.put(contentOf(message), keyOf(this.#name, message, age));
        } catch (cause) {
          refused.set(put, explain(cause, "storage_failed"));
          continue;
        }
        ages.set(message.clientId, age);
        count++;
        bytes += message.bytes;
      }
    }
    if (since === undefined && refused.size < puts.length) store.put(wipes, [this.#name]);
    return wipes;
  }

  async #delete(gone: [clientId: string, from: number | undefined, to: number][]): Promise<void> {
    await this.#database.run("relaxed", async (store) => {
      for (const [clientId, from, to] of gone) store.delete(messages(this.#name, clientId, from, to));
    });
    this.#releaseEmpty();
  }

  /** Forgets adopted senders that have nothing left, once that is so on disk too. */
  #releaseEmpty(): void {
    for (const [sender, left] of this.#adopted) {
      if (left.size > 0 || this.#gone.some(([clientId]) => clientId === sender)) continue;
      this.#adopted.delete(sender);
      this.#senders.release(sender);
    }
  }
}

function invalid(field: string, expected: string): Error {
  const error = new Error(`\`${field}\` must be ${expected}`);
  return Object.assign(error, { name: "ConfigError", code: "invalid_option", field, expected });
}
