import { onlyPerson, sessionId, view } from "./address";

export interface Person {
  readonly key: "ada" | "grace";
  readonly name: string;
  readonly userId: string;
}

// User ids carry the session, because the development endpoints act on every connection of a user.
export const ada: Person = { key: "ada", name: "Ada", userId: `ada-${sessionId}` };
export const grace: Person = { key: "grace", name: "Grace", userId: `grace-${sessionId}` };

export const everyone: readonly Person[] = [ada, grace];

/** Those whom this page shows. */
export const present = everyone.some(({ key }) => key === onlyPerson)
  ? everyone.filter(({ key }) => key === onlyPerson)
  : everyone;

export function peerOf(person: Person): Person {
  return person === ada ? grace : ada;
}

/** The one who learns, on two devices. */
export const learner = { name: "Lea", userId: `lea-${sessionId}` } as const;

/** The users whose connections this page has. */
export const userIds: readonly string[] = view === "lesson" ? [learner.userId] : present.map((person) => person.userId);
