/** A message that its sender may be told more about: it was delivered, it was read. */
export interface Origin {
  readonly user: string;
  readonly clientId: string;
  readonly seq: number;
  status: "sent" | "delivered" | "read";
}

/** An event as it is stored in a stream. */
export interface StoredEvent {
  readonly offset: number;
  readonly frame: object;
  readonly origin: Origin | undefined;
}

/** A row of stored events (docs/PROTOCOL.md, "The reliable mode"). */
export class Stream {
  /** The offset of the newest event. */
  newest: number;
  /** The position from which the history is whole. */
  wholeFrom: number;
  readonly #events: StoredEvent[] = [];

  /** @param position Beyond every offset that a stream of this name has had in the same epoch. */
  constructor(position: number) {
    this.newest = position;
    this.wholeFrom = position;
  }

  append(makeFrame: (offset: number) => object, origin: Origin | undefined): StoredEvent {
    this.newest += 1;
    const event = { offset: this.newest, frame: makeFrame(this.newest), origin };
    this.#events.push(event);
    if (this.#events.length > MAX_STORED) this.forget(this.newest - MAX_STORED);
    return event;
  }

  /** Forgets the events up to an offset. */
  forget(upTo: number): void {
    const position = Math.min(upTo, this.newest);
    if (position <= this.wholeFrom) return;
    this.#events.splice(0, position - this.wholeFrom);
    this.wholeFrom = position;
  }

  after(position: number): readonly StoredEvent[] {
    return this.#events.filter(({ offset }) => offset > position);
  }

  /** From where a client goes on that names this position, or none. */
  positionFor(claimed: number | undefined): number {
    return claimed === undefined || claimed > this.newest ? this.newest : Math.max(claimed, this.wholeFrom);
  }
}

/** What the server knows of one client id of a user. */
export interface ClientRecord {
  readonly id: string;
  /** The highest sequence number that is processed. */
  last: number;
  /** The connection whose `hello` came last. */
  owner: object | undefined;
  /** A message that is being processed. */
  busy: Promise<void> | undefined;
}

/** What the server knows of a user in a room. */
export interface Member {
  /** Whether they have joined since they were last without a connection. */
  isPresent: boolean;
  /** Whether one of their connections has left since, so that those that have joined keep them in, and nothing else does. */
  hasLeft: boolean;
  /** The connections that have joined and not left. */
  readonly connections: Set<object>;
  /** The clients that have joined, with the connection on which they did it last. */
  readonly clients: Map<string, object>;
}

/** What outlives connections, and restarts unless they forget. */
export class Memory {
  readonly epoch: number;
  readonly rooms = new Map<string, Map<string, Member>>();
  readonly #clients = new Map<string, Map<string, ClientRecord>>();
  readonly #streams = new Map<string, Map<string, Stream>>();
  /** Where streams begin. */
  #beginning = 0;

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  /** The clients of a user that have said `hello`. */
  clients(user: string): ReadonlyMap<string, ClientRecord> {
    return this.#clients.get(user) ?? new Map();
  }

  client(user: string, id: string): ClientRecord {
    const record = this.clients(user).get(id) ?? { id, last: 0, owner: undefined, busy: undefined };
    entry(this.#clients, user, () => new Map<string, ClientRecord>()).set(id, record);
    return record;
  }

  stream(user: string, name: string): Stream {
    const streams = entry(this.#streams, user, () => new Map<string, Stream>());
    return entry(streams, name, () => new Stream(this.#beginning));
  }

  get users(): IterableIterator<string> {
    return this.#clients.keys();
  }

  /** Forgets all clients, as after a long absence: same epoch, so no offset is given twice. */
  forgetClients(): void {
    for (const streams of this.#streams.values()) {
      for (const { newest } of streams.values()) this.#beginning = Math.max(this.#beginning, newest);
    }
    this.#clients.clear();
    this.#streams.clear();
    this.rooms.clear();
  }
}

/** The value of a key, made if it is not there. */
export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** Adds to a list that keeps the last so many. */
export function push<T>(list: T[], item: T, most = 10_000): void {
  list.push(item);
  if (list.length > most) list.shift();
}

/** How many events of a stream are kept, as by the reference server. */
const MAX_STORED = 1_000;
