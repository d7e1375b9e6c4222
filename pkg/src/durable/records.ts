import type { StoredMessage } from "../outbox.js";

// The store holds three kinds of entries:
//   [name, clientId, seq, bytes, age]  a message. The last two are in the key so that bounds and order are known without
//                                      reading a single message; `age` is smaller for senders that began earlier.
//   [name]                             the number of wipes, of whatever name, before this name was first used since its last one
//   []                                 the number of wipes so far, of whatever name
// The first two are gone after a wipe: no trace of a user stays.

export type Key = [name: string, clientId: string, seq: number, bytes: number, age: number];

/** Everything of a name. */
export const everything = (name: string): IDBKeyRange => IDBKeyRange.bound([name], [name, []]);

/** The messages of a sender from `from` (or the first) to `to`. Arrays sort after numbers, so `[]` stands for the end of a row. */
export const messages = (name: string, clientId: string, from: number | undefined, to: number): IDBKeyRange =>
  IDBKeyRange.bound([name, clientId, ...(from === undefined ? [] : [from])], [name, clientId, to, []]);

export function isKey(key: IDBValidKey): key is Key {
  if (!Array.isArray(key) || key.length !== 5) return false;
  const [, clientId, ...numbers] = key;
  return typeof clientId === "string" && numbers.every((number) => typeof number === "number");
}

export const keyOf = (name: string, { clientId, seq, bytes }: StoredMessage, age: number): Key => [
  name,
  clientId,
  seq,
  bytes,
  age,
];

export const contentOf = ({ frame, purpose, session, expiresAt }: StoredMessage): object => ({
  frame,
  purpose,
  session,
  expiresAt,
});

/** The message of an entry, or `undefined` if it is damaged. */
export function messageOf([, clientId, seq, bytes]: Key, value: unknown): StoredMessage | undefined {
  const { frame, purpose, session, expiresAt } = (value ?? {}) as Partial<StoredMessage>;
  if (
    typeof frame !== "string" ||
    !Number.isInteger(purpose) ||
    (session !== undefined && typeof session !== "string") ||
    (expiresAt !== null && typeof expiresAt !== "number")
  ) {
    return undefined;
  }
  return { clientId, seq, frame, bytes, purpose: purpose as number, session, expiresAt };
}
