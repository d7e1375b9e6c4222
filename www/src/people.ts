import { randomId } from "./randomId";

export interface Person {
  readonly key: "ada" | "grace";
  readonly name: string;
  readonly userId: string;
}

// A fresh session per page load keeps several tabs of the demo apart; `?session=…` lets two of them meet.
export const sessionId = new URLSearchParams(location.search).get("session")?.slice(0, 40) || randomId(6);

// User ids carry the session, because the development endpoints act on every connection of a user.
export const ada: Person = { key: "ada", name: "Ada", userId: `ada-${sessionId}` };
export const grace: Person = { key: "grace", name: "Grace", userId: `grace-${sessionId}` };
export function peerOf(person: Person): Person {
  return person === ada ? grace : ada;
}

export const everyone: readonly Person[] = [ada, grace];
