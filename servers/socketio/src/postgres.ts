import { setTimeout } from "node:timers/promises";
import { type Database, isConflict, type Row, type Sql } from "./database.js";
import { replaceParts } from "./noCode.js";

/** The part of `Pool` of `pg` that is used. */
export interface PostgresPool {
  connect(): Promise<PostgresConnection>;
  on?(event: "error", listener: () => void): unknown;
  on?(event: "connect", listener: (connection: PostgresConnection) => void): unknown;
}

/** The part of `PoolClient` of `pg` that is used. */
export interface PostgresConnection {
  query(statement: string, values?: unknown[]): Promise<{ rows: Row[]; command?: string }>;
  release(error?: boolean): void;
  on(event: "error", listener: () => void): unknown;
  off(event: "error", listener: () => void): unknown;
}

/** A database on a pool of connections to PostgreSQL, which several processes may share. */
export function postgres(pool: PostgresPool): Database {
  // A connection that breaks fails what is done on it, and is no reason for the process to end.
  const ignore = (): void => {};
  pool.on?.("error", ignore);
  // The pool stops listening before it hands a connection out, which may break in between.
  pool.on?.("connect", (connection) => connection.on("error", ignore));
  const once = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const connection = await pool.connect();
    connection.on("error", ignore);
    try {
      await connection.query("BEGIN");
      const done = await work(async (statement, ...values) => {
        return (await connection.query(numbered(statement), values)).rows;
      });
      // A transaction in which a statement has failed is answered with a rollback, and no error.
      const { command } = await connection.query("COMMIT");
      if (command === "ROLLBACK") throw new Error("a statement has failed, and nobody heeded it");
      connection.off("error", ignore);
      connection.release();
      return done;
    } catch (error) {
      await connection.query("ROLLBACK").catch(() => {});
      connection.release(true);
      throw error;
    }
  };
  return {
    transaction: async (work) => {
      for (let tries = 1; ; tries++) {
        try {
          return await once(work);
        } catch (error) {
          if (!isConflict(error) || tries === MOST_TRIES) throw error;
          // Those who were in each other's way come back one after the other.
          await setTimeout(Math.random() * tries * PAUSE_MS);
        }
      }
    },
  };
}

/** PostgreSQL counts its placeholders. */
function numbered(statement: string): string {
  let place = 0;
  const count = (code: string) => code.replaceAll("?", () => `$${++place}`);
  return replaceParts(statement, true, count, (text) => text);
}

const MOST_TRIES = 5;
const PAUSE_MS = 20;
