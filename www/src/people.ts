import { onlyDevice, onlyPerson, sessionId, view } from "./address";

/** Somebody with connections of their own. */
export interface User {
  readonly key: string;
  readonly name: string;
  readonly userId: string;
}

export interface Person extends User {
  readonly key: "ada" | "grace";
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
export const learner: User = { key: "lea", name: "Lea", userId: `lea-${sessionId}` };

const everyDevice: readonly string[] = ["Phone", "Laptop"];

/** Those of the learner's devices that this page shows. */
export const devices = everyDevice.some(isOnly) ? everyDevice.filter(isOnly) : everyDevice;

function isOnly(device: string): boolean {
  return device.toLowerCase() === onlyDevice;
}

/** The users whose connections this page has. */
export const users: readonly User[] = view === "lesson" ? [learner] : present;

export const userIds: readonly string[] = users.map(({ userId }) => userId);
