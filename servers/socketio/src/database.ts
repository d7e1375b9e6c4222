/** A row of a result, by the names of its columns. */
export type Row = Record<string, unknown>;

/** Runs a statement with `?` for each value, inside of a transaction. */
export type Sql = (statement: string, ...values: unknown[]) => Promise<Row[]>;

/** What is needed of a database: transactions, and rows that are locked by those who change them. */
export interface Database {
  /** Runs the work in a transaction: committed when it ends, rolled back when it throws. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}
