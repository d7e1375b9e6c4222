/** A row of a result, by the names of its columns. */
export type Row = Record<string, unknown>;

/** Runs a statement with `?` for each value, inside of a transaction. */
export type Sql = (statement: string, ...values: unknown[]) => Promise<Row[]>;

/** What is needed of a database: transactions, and rows that are locked by those who change them. */
export interface Database {
  /** Runs the work in a transaction: committed when it ends, rolled back when it throws, and run again where another was in its way. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

/** A statement has made the database roll back the whole transaction, so that nothing of it is left. */
export class TransactionLost extends Error {
  constructor() {
    super("a statement has rolled back the transaction (`OR ROLLBACK`, `ON CONFLICT ROLLBACK`, `RAISE(ROLLBACK, …)`)");
  }
}

/** Whether a database says that there is no room or no right to store, whatever it is given, until somebody sees to it. */
export function takesNothing(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown };
  // Too many connections of PostgreSQL pass by themselves.
  if (code === "53300") return false;
  return OF_STORAGE.test(String(code)) || OF_SQLITE.has(Number(errcode) & 0xff);
}

/** Names of better-sqlite3 and libsql; insufficient resources, errors of the system, and a standby of PostgreSQL. */
const OF_STORAGE = /^(?:SQLITE_(?:CORRUPT|FULL|IOERR|NOMEM|NOTADB|READONLY)|53...$|58...$|25006$)/;
/** The same as numbers of `node:sqlite`. */
const OF_SQLITE = new Set([7, 8, 10, 11, 13, 26]);

/** Whether a transaction has failed because another was in its way: by a deadlock, or because they cannot be put in a row. */
export function isConflict(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return code === "40P01" || code === "40001";
}
