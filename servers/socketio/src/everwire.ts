import type { Socket } from "socket.io";
import { Connection, type Frame } from "./connection.js";
import type { Database, Sql } from "./database.js";
import { Effects } from "./effects.js";
import { eventOf } from "./event.js";
import { Memory } from "./memory.js";

/** Thrown by a handler: the message is not done, and counts as processed. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string = code) {
    super(message);
    this.code = code;
  }
}

/** What a handler has beside the payload. What it writes with `sql` is committed together with the message, or not at all. */
export interface Context {
  readonly user: string;
  readonly socket: Socket;
  readonly sql: Sql;
  /** The number of the message in the row of its client's; none for one that is processed at most once. */
  readonly seq: number | undefined;
  /** Whether the result is wanted. */
  readonly isRequest: boolean;
  /** Stores an event for a user who has said hello before; it reaches each of their clients once and in order. */
  publish(user: string, type: string, data: object): Promise<void>;
  /** Says something to this connection once everything is committed, at most once. */
  tell(type: string, data: object): void;
  /** Calls once everything is committed. */
  afterCommit(act: () => unknown): void;
}

/** The payload of a message: any object. A handler checks it. */
export type Data = Readonly<Record<string, unknown>>;

/** Does what a message asks for; what it returns is the answer to a request. */
export type Handler = (context: Context, data: Data) => unknown;

/** What `everwire` needs to know. */
export interface Options {
  /** Where everything is stored: `postgres(pool)`, `sqlite(connection)`, or one of your own. */
  readonly database: Database;
  /** Who a socket is: the user whom a middleware before this one has authenticated. A string, also where ids are numbers; otherwise the socket is refused with a `TypeError`. */
  readonly user: (socket: Socket) => string;
  /** What is done for each type of message; one whose type has none is refused with `unknown_type`. */
  readonly handlers: Readonly<Record<string, Handler>>;
  /** How many events of each stream are kept. Default 1 000. */
  readonly history?: number;
  /**
   * Begins this epoch, for a restored backup: a whole number that is higher than any that clients have seen, such as `Date.now()` at the time of the restore. It is stored, so that it
   * is needed once. One that is lower than the database's is refused: nothing is served then, and `console.error` says why. Default: the database's, which begins with the time of
   * its creation.
   */
  readonly epoch?: number;
  /** How often a connection looks for what other processes have stored, in milliseconds. Default 1 000. */
  readonly pollMs?: number;
  /**
   * How long a handler may take before its message is refused, in milliseconds. Default 10 000. On SQLite everybody else waits for it. A statement that is under way is not
   * interrupted, but waited for: on PostgreSQL, `statement_timeout` and `lock_timeout` bound it.
   */
  readonly handlerTimeoutMs?: number;
}

/** What `io.use()` takes, and what the rest of an application uses. */
export interface Everwire {
  (socket: Socket, next: (error?: Error) => void): void;
  /** Stores an event for a user in a transaction of the application's own; `wake` them when it is committed. */
  publish(sql: Sql, user: string, type: string, data: object): Promise<void>;
  /** Sends what is stored for these users at once, and not with the next poll. */
  wake(...users: string[]): void;
  /** Runs work in a transaction of the database, and wakes the users to whom it has published. Not for handlers, which are in one. */
  transaction<T>(work: (sql: Sql, publish: Context["publish"]) => Promise<T>): Promise<T>;
  /** Ends the timers. */
  close(): void;
}

/** A middleware for `io.use()`, behind the one that authenticates: the reliable mode of docs/PROTOCOL.md by the event `everwire`. */
export function everwire(options: Options): Everwire {
  const {
    database,
    user: userOf,
    handlers,
    history = 1_000,
    pollMs = 1_000,
    handlerTimeoutMs = 10_000,
    epoch,
  } = options;
  if (epoch !== undefined && !(Number.isSafeInteger(epoch) && epoch >= 1))
    throw new RangeError("the option `epoch` is a whole number from 1");
  const memory = new Memory(database, history, epoch);
  const connections = new Map<string, Set<Connection>>();
  const of = (user: string): Iterable<Connection> => connections.get(user) ?? [];
  const wake = (...users: string[]): void => {
    for (const user of users) for (const connection of of(user)) connection.wake();
  };
  const publish: Everwire["publish"] = async (sql, user, type, data) =>
    memory.store(sql, user, "user", eventOf(type, data));
  const everyone = () => [...connections.values()].flatMap((some) => [...some]);
  const forget = () => memory.forget(everyone().map(({ user, clientId }) => [user, clientId])).catch(() => {});
  const timers = [setInterval(forget, HOUR_MS), setInterval(() => wake(...connections.keys()), pollMs)];
  for (const timer of timers) timer.unref();

  const middleware = (socket: Socket, next: (error?: Error) => void): void => {
    const user: unknown = userOf(socket);
    if (typeof user !== "string" || user === "") {
      // What is stored for the number 7 and for the text "7" would be for two users.
      const error = new TypeError("`user` of everwire() must return a string that is not empty");
      console.error(`everwire: ${error.message}: it returns ${user === "" ? "an empty one" : typeof user}`);
      next(error);
      return;
    }
    const connection = new Connection(socket, user, { memory, handlers, handlerTimeoutMs, of, wake });
    // Not before something has come: a socket that a later middleware refuses never says that it is gone.
    socket.on("everwire", (frame: Frame) => {
      if (!socket.connected) return;
      connections.set(user, (connections.get(user) ?? new Set()).add(connection));
      connection.arrived(frame);
    });
    socket.on("disconnect", () => {
      const own = connections.get(user);
      own?.delete(connection);
      if (own?.size === 0) connections.delete(user);
    });
    next();
  };
  return Object.assign(middleware, {
    publish,
    wake,
    transaction: async <T>(work: (sql: Sql, publish: Context["publish"]) => Promise<T>) => {
      const { done, users } = await memory.transaction(async (sql) => {
        const effects = new Effects(sql, memory);
        try {
          const done = await work(effects.sql, effects.publish);
          await effects.settled();
          return { done, users: effects.users };
        } finally {
          await effects.end();
        }
      });
      wake(...users);
      return done;
    },
    close: () => timers.forEach(clearInterval),
  });
}

const HOUR_MS = 3_600_000;
