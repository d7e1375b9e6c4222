import type { StoredMessage } from "../outbox.js";

// The store holds three kinds of entries:
//   [name, clientId, seq, bytes, age]  a message. The last two are in the key so that bounds and order are known without
//                                      reading a single message; `age` is smaller for senders that began earlier.
//   name                               how many wipes there had been, of whatever name, when this name was first used
//   0                                  how many wipes there have been, of whatever name
// A wipe takes the first two: no trace of a user stays.

export type Key = [name: string, clientId: string, seq: number, bytes: number, age: number];

export const WIPES = 0;

/** The entries whose keys begin with `from`, or lie between those and the ones that begin with `to`. Arrays sort last. */
export const range = (from: IDBValidKey[], to: IDBValidKey[] = from): IDBKeyRange =>
  IDBKeyRange.bound(from, [...to, []]);

/** Whether a value is a message as this module writes it. One that no server can read would keep all behind it from being processed. */
export function isMessage(value: unknown): value is StoredMessage {
  const { clientId, frame, session, seq, bytes, purpose, expiresAt, createdAt } = (value ??
    {}) as Partial<StoredMessage>;
  const types = [clientId, frame, session ?? "", seq, bytes, purpose, expiresAt ?? 0, createdAt ?? 0].map(
    (field) => typeof field,
  );
  const areRight = String(types) === "string,string,string,number,number,number,number,number";
  return areRight && Number.isSafeInteger(seq) && isEnvelope(frame as string);
}

function isEnvelope(frame: string): boolean {
  try {
    return frame.endsWith("}") && typeof JSON.parse(frame).type === "string";
  } catch {
    return false;
  }
}
