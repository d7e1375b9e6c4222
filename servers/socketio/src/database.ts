/** A row of a result, by the names of its columns. */
export type Row = Record<string, unknown>;

/** Runs a statement with `?` for each value, inside of a transaction. */
export type Sql = (statement: string, ...values: unknown[]) => Promise<Row[]>;

/** What is needed of a database: transactions, and rows that are locked by those who change them. */
export interface Database {
  /** Runs the work in a transaction: committed when it ends, rolled back when it throws, and run again where another was in its way. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

/** Thrown by a `Database` where a statement has made it roll back the whole transaction, so that nothing of it is left: the message is refused in another. */
export class TransactionLost extends Error {
  constructor() {
    super("a statement has rolled back the transaction (`OR ROLLBACK`, `ON CONFLICT ROLLBACK`, `RAISE(ROLLBACK, …)`)");
  }
}

/** Whether a database says that there is no room or no right to store, whatever it is given, until somebody sees to it. */
export function takesNothing(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown };
  return OF_STORAGE.test(String(code)) || OF_SQLITE.has(Number(errcode) & 0xff);
}

/**
 * Names of better-sqlite3 and libsql; a disk of PostgreSQL that is full or fails, and a standby. A statement can raise the other codes of their classes each time that it
 * comes.
 */
const OF_STORAGE = /^(?:SQLITE_(?:CORRUPT|FULL|IOERR|NOMEM|NOTADB|READONLY)|(?:53100|58030|25006)$)/;
/** The same as numbers of `node:sqlite`. */
const OF_SQLITE = new Set([7, 8, 10, 11, 13, 26]);

/** Whether a transaction has failed because another was in its way: by a deadlock, or because they cannot be put in a row. */
export function isConflict(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return code === "40P01" || code === "40001";
}
