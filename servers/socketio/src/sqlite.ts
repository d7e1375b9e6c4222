import type { Database, Row, Sql } from "./database.js";

/** The part of `DatabaseSync` of `node:sqlite`, of better-sqlite3 and of libsql that is used. */
export interface SqliteConnection {
  exec(statements: string): unknown;
  prepare(statement: string): { all(...values: never[]): unknown[] };
}

/** A database on one connection to SQLite that nobody else writes by: its transactions come one after the other. */
export function sqlite(connection: SqliteConnection): Database {
  // What is acknowledged outlives a power failure.
  connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  const sql: Sql = async (statement, ...values) => {
    const prepared = connection.prepare(statement);
    return prepared.all(...(values as never[])) as Row[];
  };
  let before: Promise<unknown> = Promise.resolve();
  return {
    transaction: (work) => {
      const result = before.then(async () => {
        connection.exec("BEGIN IMMEDIATE");
        try {
          const done = await work(sql);
          connection.exec("COMMIT");
          return done;
        } catch (error) {
          connection.exec("ROLLBACK");
          throw error;
        }
      });
      before = result.catch(() => {});
      return result;
    },
  };
}
