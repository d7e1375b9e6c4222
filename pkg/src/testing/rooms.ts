import type { ServerConnection } from "./connection.js";
import { entry, type Member, type Memory } from "./memory.js";

/** Who is in which session or match (docs/PROTOCOL.md, "Sessions" and the appendix). */
export class Rooms {
  readonly #memory: () => Memory;
  readonly #changed: (room: string) => void;

  constructor(memory: () => Memory, changed: (room: string) => void) {
    this.#memory = memory;
    this.#changed = changed;
  }

  join(connection: ServerConnection, room: string): void {
    const members = entry(this.#memory().rooms, room, () => new Map());
    const member = entry(members, connection.user, () => ({
      isPresent: false,
      hasLeft: false,
      connections: new Set(),
      clients: new Map(),
    }));
    member.isPresent = true;
    member.hasLeft = false;
    for (const earlier of member.connections) {
      if (!(earlier as ServerConnection).isOpen) member.connections.delete(earlier);
    }
    member.connections.add(connection);
    if (connection.clientId !== null) member.clients.set(connection.clientId, connection);
    this.#changed(room);
  }

  /** The user is in the room as long as another client of theirs that is connected has joined it. */
  leave(connection: ServerConnection, room: string): void {
    const members = this.#memory().rooms.get(room);
    const member = members?.get(connection.user);
    if (!members || !member) return;
    member.connections.delete(connection);
    if (isKept(member)) {
      member.hasLeft = true;
      if (connection.clientId !== null) member.clients.delete(connection.clientId);
      return;
    }
    members.delete(connection.user);
    this.#changed(room);
  }

  /** Whether a user may act in a room. */
  isMember(user: string, room: string, isNumbered: boolean): boolean {
    const member = this.#memory().rooms.get(room)?.get(user);
    return member !== undefined && (member.isPresent || isNumbered);
  }

  /** Those who get the events of a room. */
  receivers(room: string): string[] {
    const memory = this.#memory();
    const receivers: string[] = [];
    for (const [user, member] of memory.rooms.get(room) ?? []) {
      for (const [clientId, joinedOn] of member.clients) {
        const owner = memory.clients(user).get(clientId)?.owner as ServerConnection | undefined;
        const isBack = owner !== undefined && owner !== joinedOn && owner.isOpen;
        if (isBack && Date.now() - owner.greetedAt > TIME_TO_REJOIN_MS) member.clients.delete(clientId);
      }
      if (member.isPresent || member.clients.size > 0) receivers.push(user);
    }
    return receivers;
  }

  /** The rooms whose events a user gets. */
  of(user: string): string[] {
    return [...this.#memory().rooms.keys()].filter((room) => this.receivers(room).includes(user));
  }

  /** A connection has ended, which may be the user's last. */
  gone(user: string, isLast: boolean): void {
    for (const [room, members] of this.#memory().rooms) {
      const member = members.get(user);
      if (!member?.isPresent || !(isLast || (member.hasLeft && !isKept(member)))) continue;
      member.isPresent = false;
      this.#changed(room);
    }
  }
}

function isKept({ connections }: Member): boolean {
  return [...connections].some((connection) => (connection as ServerConnection).isOpen);
}

/** How long a client that is back gets events of what it has not joined again. */
const TIME_TO_REJOIN_MS = 60_000;
