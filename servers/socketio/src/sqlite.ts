import { type Database, type Row, type Sql, TransactionLost } from "./database.js";

/** The part of `DatabaseSync` of `node:sqlite`, of better-sqlite3 and of libsql that is used. */
export interface SqliteConnection {
  exec(statements: string): unknown;
  prepare(statement: string): { all(...values: never[]): unknown[] };
  /** Whether a transaction is open, as `node:sqlite` says it. */
  readonly isTransaction?: boolean;
  /** The same, as better-sqlite3 and libsql say it. */
  readonly inTransaction?: boolean;
}

/** A database on one connection to SQLite that nobody else writes by: its transactions come one after the other. */
export function sqlite(connection: SqliteConnection): Database {
  // What is acknowledged outlives a power failure.
  connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  let before: Promise<unknown> = Promise.resolve();
  return {
    transaction: (work) => {
      const result = before.then(() => transact(connection, work));
      before = result.catch(() => {});
      return result;
    },
  };
}

async function transact<T>(connection: SqliteConnection, work: (sql: Sql) => Promise<T>): Promise<T> {
  /** Why no statement is taken any more: outside of the transaction it would be committed by itself. */
  let ended: unknown;
  const sql: Sql = async (statement, ...values) => {
    if (ended) throw ended;
    try {
      return connection.prepare(statement).all(...(values as never[])) as Row[];
    } catch (error) {
      if (!isBroken(error) && !isInTransaction(connection)) ended = error;
      throw error;
    } finally {
      if (!isInTransaction(connection)) ended ??= new TransactionLost();
    }
  };
  connection.exec("BEGIN IMMEDIATE");
  try {
    const done = await work(sql);
    if (ended) throw ended;
    connection.exec("COMMIT");
    return done;
  } catch (error) {
    if (isInTransaction(connection)) connection.exec("ROLLBACK");
    throw error;
  } finally {
    ended ??= new Error("the transaction has ended");
  }
}

function isInTransaction(connection: SqliteConnection): boolean {
  const isIn = connection.isTransaction ?? connection.inTransaction;
  if (isIn !== undefined) return isIn;
  // Within a transaction another cannot begin.
  try {
    connection.exec("BEGIN");
  } catch {
    return true;
  }
  connection.exec("ROLLBACK");
  return false;
}

/** Whether a rule of the tables is broken, and not the storage: then SQLite rolls back where a statement asks for it. */
function isBroken(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown };
  return String(code).startsWith("SQLITE_CONSTRAINT") || (Number(errcode) & 0xff) === SQLITE_CONSTRAINT;
}

const SQLITE_CONSTRAINT = 19;
