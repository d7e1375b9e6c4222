import { randomId } from "./randomId";

export interface Person {
  readonly key: "ada" | "grace";
  readonly name: string;
  readonly userId: string;
}

const address = new URL(location.href);

// A session of its own keeps several tabs of the demo apart. In the address it outlasts a reload, and two tabs can meet.
export const sessionId = address.searchParams.get("session")?.slice(0, 40) || randomId(6);

/** For comparison, `?delivery=at-most-once` does without acknowledgements and without the outbox on disk. */
export const delivery = address.searchParams.get("delivery") === "at-most-once" ? "at-most-once" : "reliable";

/** Writes the session into the address. */
export function keepSession(): void {
  address.searchParams.set("session", sessionId);
  history.replaceState(null, "", address);
}

// User ids carry the session, because the development endpoints act on every connection of a user.
export const ada: Person = { key: "ada", name: "Ada", userId: `ada-${sessionId}` };
export const grace: Person = { key: "grace", name: "Grace", userId: `grace-${sessionId}` };
export function peerOf(person: Person): Person {
  return person === ada ? grace : ada;
}

export const everyone: readonly Person[] = [ada, grace];
