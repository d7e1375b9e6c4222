/**
 * An outbox in IndexedDB: messages that outlive the page.
 *
 * @module everwire/durable
 */

import type { InheritedMessages } from "./chat.js";
import { ask, ignore, makeDatabase, within } from "./durable/database.js";
import { FAILED, FULL, failure, UNAVAILABLE } from "./durable/errors.js";
import { Inherited } from "./durable/inherited.js";
import { holderOf, takeLock } from "./durable/lock.js";
import { isMessage, type Key, range, WIPES } from "./durable/records.js";
import type { Outbox, OutboxError, StoredMessage } from "./outbox.js";

export type { Outbox, OutboxError, OutboxErrorCode, StoredMessage } from "./outbox.js";

/** Whose messages are kept, and how many. */
export interface DurableOutboxOptions {
  /**
   * Whose messages these are. It must name the user, and the application if several share the origin: what is found under a name is sent under the token of
   * whoever is logged in. An empty or undefined name throws, because an id that has not been loaded yet would otherwise mix users.
   */
  name: string;
  /** Most messages on disk, of all tabs and senders of this name. Default 1 000. Above 0. */
  maxMessages?: number;
  /** Most bytes on disk, counted as the sizes of their frames in UTF-8. Default 1 048 576. Above 0. */
  maxBytes?: number;
}

/** An outbox that can say what earlier pages have left in conversations. */
export interface DurableOutbox extends Outbox {
  /** For `chat({ durable: outbox })` of `everwire/session`. */
  readonly inherited: InheritedMessages;
}

/**
 * An outbox in the browser's IndexedDB, for one client. Touches nothing until it is opened, so it can be made on a server.
 *
 * Each page holds a Web Lock for every sender whose messages it may send, and waits for the locks of up to 64 other senders, whose messages it adopts when their
 * pages die. Some browsers keep such a page out of the back/forward cache. Chromium takes it in, and drops it when another page of the same name is open, which then
 * adopts its messages. Going back to such a page loads it anew. WebKit takes it in and frees its locks; when it comes back, it reloads itself, and does not connect before.
 *
 * A message whose `ttlMs` is over when a page adopts it is dropped as `expired`, also if the page that is gone had sent it. What is older than a server remembers its clients
 * is dropped as `unconfirmed`; the age is what the device's clock says, so a clock that was wrong by less than the server remembers cannot be noticed.
 *
 * Throws an error with the code `invalid_option` if an option cannot be used.
 */
export function durableOutbox(options: DurableOutboxOptions): DurableOutbox {
  const { name, maxMessages = 1_000, maxBytes = 1_048_576 } = options ?? {};
  if (typeof name !== "string" || !name || !(maxMessages > 0 && maxBytes > 0)) {
    throw failure(
      "invalid_option",
      "`name` must be a text that names the user, `maxMessages` and `maxBytes` must be above 0",
    );
  }
  return makeOutbox(name, maxMessages, maxBytes);
}

const notOpen = () => failure(UNAVAILABLE, "the outbox is not open");

interface Put {
  readonly message: StoredMessage;
  /** How many wipes this page knew of at the call. */
  readonly wipes: number;
  readonly resolve: () => void;
  readonly reject: (error: OutboxError) => void;
}

interface Removal {
  readonly clientId: string;
  readonly keys: IDBKeyRange;
}

function makeOutbox(name: string, maxMessages: number, maxBytes: number): DurableOutbox & { inherited: Inherited } {
  const database = makeDatabase();
  /** The senders whose messages this page, and no other, may send, with what frees their locks. */
  const held = new Map<string, () => void>();
  /** The senders of living pages, for whose end this page waits. */
  const awaited = new Set<string>();
  const patience = new AbortController();
  let onAdopted: ((messages: StoredMessage[]) => void) | undefined;
  let own: string | undefined;
  /** Whom the browser names as the holder of the page's own lock. */
  let holder: string | undefined = "";
  /** Pending while it is unknown whether a page that came back has kept its lock, and for ever if it has not. */
  let checked: Promise<void> | undefined;
  let knownWipes = 0;
  let closed = false;
  /** Where pages name themselves that begin to have something on disk. */
  let channel: BroadcastChannel | undefined;

  // What waits for the next transactions, and whether some are under way.
  let puts: Put[] = [];
  let removals: Removal[] = [];
  let working = false;

  const lockOf = (sender: string | undefined) => `everwire:${name}:${sender}`;

  // WebKit frees the locks of a page that it takes into the back/forward cache, so another page may have sent under this one's client id.
  const checkLock = async () => {
    if ((await holderOf(lockOf(own))) !== holder) await new Promise(() => location.reload());
  };

  const onPageShow = (event: PageTransitionEvent) => {
    if (event.persisted) checked = checkLock();
  };

  const take = async (sender: string, options: LockOptions) => {
    const free = await takeLock(lockOf(sender), options);
    if (free) held.set(sender, free);
    // It may be had after the deadline.
    finishClosing();
  };

  /** Waits for the end of a sender's page and adopts what it leaves. */
  const adoptWhenFreed = async (sender: string) => {
    if (!onAdopted || held.has(sender) || awaited.has(sender) || awaited.size >= MOST_AWAITED) return;
    awaited.add(sender);
    try {
      await take(sender, { signal: patience.signal });
      if (closed) return;
      const messages = await database.run(read((key) => key === sender));
      if (messages.length > 0 && !patience.signal.aborted) onAdopted(messages);
      else freeLocks([sender]);
    } catch {
      // Where it cannot be had now, the next page adopts it.
      freeLocks([sender]);
    } finally {
      awaited.delete(sender);
    }
  };

  /** Lets other pages have these senders, except the page's own while it is open. */
  const freeLocks = (senders: Iterable<string>) => {
    for (const sender of senders) {
      if (sender === own) continue;
      held.get(sender)?.();
      held.delete(sender);
    }
  };

  const close = () => {
    closed = true;
    globalThis.removeEventListener?.("pageshow", onPageShow);
    stopWaiting();
    finishClosing();
  };

  /** Ends the waiting for other pages. The usual reason would be an error, whose stack keeps the client that calls. */
  const stopWaiting = () => patience.abort(null);

  /** Frees the locks and the database after `close`, once nothing is under way. */
  const finishClosing = () => {
    if (!closed || working) return;
    own = undefined;
    channel?.close();
    freeLocks(held.keys());
    database.close();
  };

  /** What is stored of this name, without the messages themselves. */
  const survey = (store: IDBObjectStore) =>
    Promise.all([
      ask<number | undefined>(store.get(WIPES)),
      ask<number | undefined>(store.get(name)),
      ask(store.getAllKeys(range([name]))) as Promise<Key[]>,
    ]);

  /** Takes the page's own lock and adopts what is left of pages that are gone. */
  const openAs = async (clientId: string) => {
    try {
      own = clientId;
      // Now, because the client adds its own listener later, and the browser calls them in order.
      globalThis.addEventListener?.("pageshow", onPageShow);
      await take(clientId, {});
      channel = new BroadcastChannel(`everwire:${name}`);
      channel.onmessage = ({ data }) => void adoptWhenFreed(data);
      const [, , keys] = await database.run(survey);
      const others = new Set(keys.map((key) => key[1]));
      others.delete(clientId);
      await Promise.all([...others].map((sender) => take(sender, { ifAvailable: true })));
      const messages = await database.run(read((sender) => held.has(sender)));
      if (closed) throw notOpen();
      for (const message of messages) others.delete(message.clientId);
      for (const sender of others) {
        if (held.has(sender)) freeLocks([sender]);
        else void adoptWhenFreed(sender);
      }
      // Asked last: in Chromium a question before the adoption made it miss what a page in the back/forward cache had left.
      holder = await holderOf(lockOf(clientId));
      return messages;
    } finally {
      // What came after the deadline is let go of by nobody else.
      finishClosing();
    }
  };

  /** The messages of some of this page's senders. They may have changed until the locks were had, so the keys are read anew. */
  const read = (isWanted: (sender: string) => boolean) => async (store: IDBObjectStore) => {
    const [wipes = 0, since, keys] = await survey(store);
    knownWipes = wipes;
    if (since === undefined) store.put(wipes, name);
    const mine = keys.filter((key) => isWanted(key[1])).sort((a, b) => a[4] - b[4]);
    const values = await Promise.all(mine.map((key) => ask<unknown>(store.get(key)).catch(ignore)));
    return mine.flatMap((key, index) => {
      const value = values[index];
      if (isMessage(value)) return value;
      store.delete(key);
      return [];
    });
  };

  const wake = () => {
    // What else this turn brings goes into the same transaction.
    if (!working) queueMicrotask(work);
    working = true;
  };

  const work = async () => {
    while (puts.length + removals.length > 0) {
      const [written, removed] = [puts, removals];
      puts = [];
      removals = [];
      if (written.length > 0) await write(written);
      if (removed.length > 0) await remove(removed).catch(ignore);
    }
    working = false;
    finishClosing();
  };

  const write = async (batch: Put[]) => {
    const begun = new Set<string>();
    const errors = await database
      .run(async (store) => {
        const [wipes = 0, since = Infinity, keys] = await survey(store);
        knownWipes = wipes;
        const ages = new Map(keys.map((key) => [key[1], key[4]]));
        const next = Math.max(0, ...ages.values()) + 1;
        let count = keys.length;
        let bytes = keys.reduce((sum, key) => sum + key[3], 0);
        return batch.map(({ message, wipes: wipesAtCall }) => {
          // Nothing was wiped since the call, or at least not this name: its entry would be younger.
          if (wipes !== wipesAtCall && since > wipesAtCall)
            return failure(FAILED, "the outbox was emptied by a logout or the browser");
          count++;
          bytes += message.bytes;
          if (count > maxMessages || bytes > maxBytes) {
            return failure(FULL, "the outbox is full: wait, or raise its bounds");
          }
          const { clientId, seq } = message;
          store.put(message, [name, clientId, seq, message.bytes, ages.get(clientId) ?? next]);
          if (since === Infinity) store.put(wipes, name);
          if (!ages.has(clientId)) begun.add(clientId);
          return undefined;
        });
      })
      .catch((cause: OutboxError) => batch.map(() => cause));
    for (const sender of begun) channel?.postMessage(sender);
    batch.forEach(({ resolve, reject }, index) => {
      const error = errors[index];
      if (error) reject(error);
      else resolve();
    });
  };

  const remove = (batch: Removal[]) =>
    database.run(
      (store) =>
        Promise.all(
          batch.map(async ({ clientId, keys }) => {
            store.delete(keys);
            const left = await ask(store.getKey(range([name, clientId])));
            // Who gets the lock reads after this transaction.
            if (left === undefined) freeLocks([clientId]);
          }),
        ),
      "relaxed",
    );

  const forget = (clientId: string, from: number, to: number) => {
    if (held.has(clientId)) {
      removals.push({ clientId, keys: range([name, clientId, from], [name, clientId, to]) });
      wake();
    }
  };

  const outbox: DurableOutbox & { inherited: Inherited } = {
    inherited: new Inherited(),

    get ready() {
      return checked;
    },

    async open(clientId, given) {
      // What waits for other pages must not keep this outbox, which the conversations of its client hold on to.
      const inherited = new WeakRef(this.inherited);
      onAdopted =
        given &&
        ((messages) => {
          inherited.deref()?.adopted(messages);
          given(messages);
        });
      try {
        const messages = await within(openAs(clientId));
        // Not what a user had left who has logged out meanwhile.
        if (!patience.signal.aborted) this.inherited.adopted(messages);
        return messages;
      } catch (cause) {
        close();
        throw cause;
      }
    },

    put: (message) =>
      new Promise((resolve, reject) => {
        if (closed || !held.has(message.clientId)) return reject(notOpen());
        puts.push({ message, wipes: knownWipes, resolve, reject });
        wake();
      }),

    acknowledge(clientId, seq) {
      this.inherited.acknowledged(clientId, seq);
      forget(clientId, 0, seq);
    },

    remove(clientId, seq) {
      this.inherited.removed(clientId, seq);
      forget(clientId, seq, seq);
    },

    async wipe() {
      // What other pages leave from now on is not this user's.
      stopWaiting();
      try {
        // What is put but not yet written finds another number than it knew, and is refused.
        knownWipes = await database.run(async (store) => {
          const [wipes = 0] = await survey(store);
          store.delete(range([name]));
          store.delete(name);
          store.put(wipes + 1, WIPES);
          return wipes + 1;
        });
        freeLocks(held.keys());
      } finally {
        finishClosing();
      }
    },

    close,
  };
  unused.register(outbox, close);
  return outbox;
}

/** Closes what is left of an outbox whose client is gone: its locks, and what waits for those of others. */
const unused = /* @__PURE__ */ new FinalizationRegistry((close: () => void) => close());

/** For the end of how many other pages to wait. */
const MOST_AWAITED = 64;
