import type { ServerConnection } from "./connection.js";
import { entry, type Memory } from "./memory.js";

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
    const member = entry(members, connection.user, () => ({ isPresent: false, clients: new Map() }));
    member.isPresent = true;
    if (connection.clientId !== null) member.clients.set(connection.clientId, connection);
    this.#changed(room);
  }

  leave(user: string, room: string): void {
    if (this.#memory().rooms.get(room)?.delete(user)) this.#changed(room);
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

  /** The user's last connection has ended. */
  gone(user: string): void {
    for (const [room, members] of this.#memory().rooms) {
      const member = members.get(user);
      if (!member?.isPresent) continue;
      member.isPresent = false;
      this.#changed(room);
    }
  }
}

/** How long a client that is back gets events of what it has not joined again. */
const TIME_TO_REJOIN_MS = 60_000;
