/** What the page's address says; all of it outlasts a reload, and two tabs can meet in a session. */

import type { SessionName } from "./components/SessionTabs";

const address = new URL(location.href);

// A session of its own keeps several tabs of the demo apart.
export const sessionId = address.searchParams.get("session")?.slice(0, 40) || newId();

/** The two sessions of the lesson. */
export const sessions: readonly [SessionName, SessionName] = [
  { id: sessionId, title: "Derivatives" },
  { id: `${sessionId}-2`, title: "Probability" },
];

/** `?wire=socket.io` for CoLabMatch's server as it was, which speaks Socket.IO (`cargo xtask demo --socketio`). */
export const wire = address.searchParams.get("wire") === "socket.io" ? "socket.io" : "envelope";

/** For comparison, `?delivery=at-most-once` does without acknowledgements and without the outbox on disk. Socket.IO has none. */
export const delivery =
  wire === "socket.io" || address.searchParams.get("delivery") === "at-most-once" ? "at-most-once" : "reliable";

/** Two people in a match of CoLabMatch, or `?view=lesson`: two devices of one learner in a session of MasterX. */
export const view = wire === "envelope" && address.searchParams.get("view") === "lesson" ? "lesson" : "match";

/** `?person=ada` shows only one of the two people, so that the other can be on another screen. */
export const onlyPerson = address.searchParams.get("person");

/** `?device=phone` shows only one of the learner's two devices. */
export const onlyDevice = address.searchParams.get("device");

/** `?token-life=8` lets tokens expire after so many seconds; 0 leaves it to the server. */
export const tokenLifeS = Math.max(0, Number(address.searchParams.get("token-life")) || 0);

/** Writes the session into the address. */
export function keepSession(): void {
  address.searchParams.set("session", sessionId);
  history.replaceState(null, "", address);
}

/** A link to this page with some of its parameters changed and the session kept; an empty one is left out. */
export function linkTo(changes: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(address.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  return `?${query}`;
}

// `crypto.randomUUID` exists only in secure contexts, and the demo may be opened over plain http in a local network.
function newId(): string {
  const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => alphabet[byte % alphabet.length]).join("");
}
