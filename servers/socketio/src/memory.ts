import type { Database, Row, Sql } from "./database.js";

/** What a server remembers: how far it has come with each client id, and the events of each stream. */
export class Memory {
  #epoch: Promise<number> | undefined;
  #hasComplained = false;
  readonly #database: Database;
  readonly #history: number;
  readonly #wanted: number | undefined;

  constructor(database: Database, history: number, epoch: number | undefined) {
    this.#database = database;
    this.#history = history;
    this.#wanted = epoch;
    // Whoever needs it hears of other failures.
    this.epoch().catch(() => {});
  }

  /** Makes the tables where they are not there. Where the database is away, the next who asks tries again. */
  epoch(): Promise<number> {
    this.#epoch ??= this.#open().catch((error) => {
      this.#epoch = undefined;
      if (error instanceof LowEpoch && !this.#hasComplained) {
        this.#hasComplained = true;
        console.error(`everwire: ${error.message}`);
      }
      throw error;
    });
    return this.#epoch;
  }

  #open(): Promise<number> {
    return this.#database.transaction(async (sql) => {
      for (const statement of SCHEMA) await sql(statement);
      const wanted = this.#wanted ?? 0;
      const begin = "INSERT INTO everwire_epoch (id, epoch) VALUES (1, ?) ON CONFLICT (id) DO NOTHING";
      await sql(begin, wanted || Date.now());
      await sql("UPDATE everwire_epoch SET epoch = ? WHERE epoch < ?", wanted, wanted);
      const epoch = numberOf(await sql("SELECT epoch FROM everwire_epoch"), "epoch");
      if (wanted && epoch > wanted) throw new LowEpoch(wanted, epoch);
      return epoch;
    });
  }

  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    await this.epoch();
    return this.#database.transaction(work);
  }

  /**
   * Makes the client id belong to this owner; says what was processed last, and from where each stream is whole. Nothing of it happens for one who is not here any
   * more when it is their turn: the client id may belong to another connection by then.
   */
  hello(
    user: string,
    clientId: string,
    owner: string,
    wanted: ReadonlyMap<string, number | undefined>,
    isHere: () => boolean,
  ) {
    return this.transaction(async (sql) => {
      if (!isHere()) return undefined;
      const now = Date.now();
      const own = `INSERT INTO everwire_clients (user_id, client_id, last, owner, seen) VALUES (?, ?, 0, ?, ?)
        ON CONFLICT (user_id, client_id) DO UPDATE SET owner = excluded.owner, seen = excluded.seen RETURNING last`;
      const last = numberOf(await sql(own, user, clientId, owner, now), "last");
      if (!isHere()) throw new Gone();
      const positions = new Map<string, number>();
      for (const [stream, position] of wanted) {
        await sql(
          "INSERT INTO everwire_streams VALUES (?, ?, ?) ON CONFLICT (user_id, stream) DO NOTHING",
          user,
          stream,
          now,
        );
        const newest = numberOf(await sql(`SELECT newest FROM everwire_streams ${OF_STREAM}`, user, stream), "newest");
        const oldest = await sql(`SELECT MIN(position) AS oldest FROM everwire_events ${OF_STREAM}`, user, stream);
        const whole = oldest[0]?.["oldest"] == null ? newest : numberOf(oldest, "oldest") - 1;
        positions.set(stream, position === undefined || position > newest ? newest : Math.max(position, whole));
      }
      return { last, positions };
    }).catch((error) => {
      if (error instanceof Gone) return undefined;
      throw error;
    });
  }

  /** Takes a message if it is the next of its client id and the client id is the owner's. Otherwise says how things stand. */
  async take(sql: Sql, user: string, clientId: string, owner: string, prev: number, seq: number) {
    const next =
      "UPDATE everwire_clients SET last = ?, seen = ? WHERE user_id = ? AND client_id = ? AND last = ? AND owner = ? RETURNING last";
    if ((await sql(next, seq, Date.now(), user, clientId, prev, owner)).length > 0) return undefined;
    const rows = await sql(
      "SELECT last, owner FROM everwire_clients WHERE user_id = ? AND client_id = ?",
      user,
      clientId,
    );
    return { last: numberOf(rows, "last"), isOwner: rows[0]?.["owner"] === owner };
  }

  /** Stores an event under the next offset of its stream. Who has never said hello has none, and is told nothing later. */
  async store(sql: Sql, user: string, stream: string, frame: object): Promise<void> {
    const taken = await sql(
      `UPDATE everwire_streams SET newest = newest + 1 ${OF_STREAM} RETURNING newest`,
      user,
      stream,
    );
    if (taken.length === 0) return;
    const newest = numberOf(taken, "newest");
    await sql("INSERT INTO everwire_events VALUES (?, ?, ?, ?)", user, stream, newest, JSON.stringify(frame));
    await sql(`DELETE FROM everwire_events ${OF_STREAM} AND position <= ?`, user, stream, newest - this.#history);
  }

  /** A page of the events behind a position. */
  async behind(user: string, stream: string, position: number): Promise<{ offset: number; frame: object }[]> {
    const page = `SELECT position, frame FROM everwire_events ${OF_STREAM} AND position > ? ORDER BY position LIMIT 100`;
    const rows = await this.transaction((sql) => sql(page, user, stream, position));
    return rows.map((row) => ({ offset: Number(row["position"]), frame: JSON.parse(String(row["frame"])) as object }));
  }

  /** Forgets clients that nobody has been connected as for as long as the welcome promises, but none of these. */
  forget(connected: readonly (readonly [user: string, clientId: string])[]): Promise<void> {
    return this.transaction(async (sql) => {
      const now = Date.now();
      for (const client of connected)
        await sql("UPDATE everwire_clients SET seen = ? WHERE user_id = ? AND client_id = ?", now, ...client);
      const forgotten = await sql(
        "DELETE FROM everwire_clients WHERE seen < ? RETURNING user_id, client_id",
        now - REMEMBER_MS,
      );
      for (const { user_id: user, client_id: client } of forgotten) {
        for (const table of ["everwire_events", "everwire_streams"])
          await sql(`DELETE FROM ${table} ${OF_STREAM}`, user, `client:${client}`);
      }
    });
  }
}

/** Undoes the hello of a connection that has ended meanwhile. */
class Gone extends Error {}

/** The application wants an epoch that clients would not believe. */
class LowEpoch extends RangeError {
  constructor(wanted: number, stored: number) {
    super(`the option \`epoch\` is ${wanted}, and must not be lower than ${stored}, which the database has already`);
  }
}

/** How long a client id is remembered after its last connection: 30 days. */
export const REMEMBER_MS = 30 * 24 * 3_600_000;

/** A number of the first row; PostgreSQL gives large ones as text. `NaN` without a row. */
const numberOf = (rows: Row[], column: string): number => Number(rows[0]?.[column] ?? Number.NaN);

const OF_STREAM = "WHERE user_id = ? AND stream = ?";

const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS everwire_epoch (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL)",
  `CREATE TABLE IF NOT EXISTS everwire_clients (user_id TEXT NOT NULL, client_id TEXT NOT NULL, last BIGINT NOT NULL, owner TEXT NOT NULL,
    seen BIGINT NOT NULL, PRIMARY KEY (user_id, client_id))`,
  "CREATE INDEX IF NOT EXISTS everwire_clients_seen ON everwire_clients (seen)",
  `CREATE TABLE IF NOT EXISTS everwire_streams (user_id TEXT NOT NULL, stream TEXT NOT NULL, newest BIGINT NOT NULL,
    PRIMARY KEY (user_id, stream))`,
  `CREATE TABLE IF NOT EXISTS everwire_events (user_id TEXT NOT NULL, stream TEXT NOT NULL, position BIGINT NOT NULL, frame TEXT NOT NULL,
    PRIMARY KEY (user_id, stream, position))`,
];
