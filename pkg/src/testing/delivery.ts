import type { ServerConnection } from "./connection.js";
import type { Data } from "./envelope.js";
import type { ClientRecord, Memory, Origin, StoredEvent } from "./memory.js";

/** Who caused an event, and with which message. */
export interface Author {
  readonly connection: ServerConnection;
  readonly seq: number | null;
}

/** How an event goes to a user. */
export interface Delivering {
  readonly isStored: boolean;
  /** The connection that is left out, except that it takes the position of what is stored. */
  readonly leftOut?: Author | undefined;
  /** The message behind it, whose sender is told that it was delivered. */
  readonly origin?: Origin | undefined;
}

/** Brings events to the connections of users, and stores those that outlive them (docs/PROTOCOL.md, "From server to client"). */
export class Delivery {
  readonly #memory: () => Memory;
  readonly #connections: () => Iterable<ServerConnection>;
  readonly #transmit: (connection: ServerConnection, frame: object) => void;

  constructor(
    memory: () => Memory,
    connections: () => Iterable<ServerConnection>,
    transmit: (connection: ServerConnection, frame: object) => void,
  ) {
    this.#memory = memory;
    this.#connections = connections;
    this.#transmit = transmit;
  }

  /** Brings an event to all connections of a user. */
  toUser(user: string, type: string, data: Data, { isStored, leftOut, origin }: Delivering): void {
    const connections = [...this.#connections()].filter((connection) => connection.user === user);
    const isOwn = leftOut?.connection.user === user;
    const clients = this.#memory().clients(user);
    const event = { type, data: copyOf(data), timestamp: Date.now() };
    if (!isStored || clients.size === 0) {
      for (const connection of connections) {
        if (connection !== leftOut?.connection) this.#send(connection, event, origin);
      }
      return;
    }
    // Nobody needs it: what the only device has sent it knows itself.
    if (isOwn && clients.size === 1 && connections.length < 2) return;
    const clientId = isOwn ? leftOut.connection.clientId : null;
    const own = clientId === null ? {} : { client_id: clientId, ...(leftOut?.seq && { seq: leftOut.seq }) };
    const stored = this.#memory()
      .stream(user, USER_STREAM)
      .append((offset) => ({ ...event, ...own, stream: USER_STREAM, offset }), origin);
    for (const connection of connections) {
      const isLeftOut = connection === leftOut?.connection && connection.clientId === null;
      if (!isLeftOut) this.#sendStored(connection, USER_STREAM, stored);
    }
  }

  /** Answers a client, so that it has the answer exactly once, on whichever connection. */
  toClient(user: string, clientId: string, type: string, data: Data): void {
    const name = clientStream(clientId);
    const event = { type, data: copyOf(data), timestamp: Date.now() };
    const stored = this.#memory()
      .stream(user, name)
      .append((offset) => ({ ...event, stream: name, offset }), undefined);
    for (const connection of this.#connections()) {
      if (connection.user === user && connection.carried.has(name)) this.#sendStored(connection, name, stored);
    }
  }

  /** Makes a connection carry the streams of a client, and returns all that it carries, with their positions. */
  carry(connection: ServerConnection, { id }: ClientRecord, claimed: Data): Record<string, number> {
    for (const name of [USER_STREAM, clientStream(id)]) {
      if (connection.carried.has(name)) continue;
      const stream = this.#memory().stream(connection.user, name);
      const position = Object.hasOwn(claimed, name) ? (claimed[name] as number) : undefined;
      connection.carried.set(name, stream.positionFor(position));
    }
    return Object.fromEntries(connection.carried);
  }

  /** Sends what a connection lacks of its streams. */
  catchUp(connection: ServerConnection): void {
    for (const [name, position] of connection.carried) {
      const stream = this.#memory().stream(connection.user, name);
      for (const event of stream.after(position)) this.#sendStored(connection, name, event);
    }
  }

  /** Tells the sender of a message how far it has come. It moves forward only. */
  advance(origin: Origin, status: "delivered" | "read"): void {
    if (origin.status === status || origin.status === "read") return;
    origin.status = status;
    this.toClient(origin.user, origin.clientId, "receipt", { seq: origin.seq, status });
  }

  #sendStored(connection: ServerConnection, name: string, { frame, offset, origin }: StoredEvent): void {
    if (connection.carried.has(name)) connection.carried.set(name, offset);
    this.#send(connection, frame, origin);
  }

  #send(connection: ServerConnection, frame: object, origin: Origin | undefined): void {
    this.#transmit(connection, frame);
    if (origin && origin.user !== connection.user) this.advance(origin, "delivered");
  }
}

/** What is stored does not change with what the application has. Throws for what is no JSON. */
const copyOf = (data: Data): Data => JSON.parse(JSON.stringify(data));

const USER_STREAM = "user";
const clientStream = (clientId: string): string => `client:${clientId}`;
