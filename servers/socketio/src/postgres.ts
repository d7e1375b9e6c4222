import type { Database, Row } from "./database.js";

/** The part of `Pool` of `pg` that is used. */
export interface PostgresPool {
  connect(): Promise<{
    query(statement: string, values?: unknown[]): Promise<{ rows: Row[] }>;
    release(error?: boolean): void;
  }>;
}

/** A database on a pool of connections to PostgreSQL, which several processes may share. */
export function postgres(pool: PostgresPool): Database {
  return {
    transaction: async (work) => {
      const connection = await pool.connect();
      try {
        await connection.query("BEGIN");
        const done = await work(async (statement, ...values) => {
          let place = 0;
          const numbered = statement.replace(/\?/g, () => `$${++place}`);
          return (await connection.query(numbered, values)).rows;
        });
        await connection.query("COMMIT");
        connection.release();
        return done;
      } catch (error) {
        await connection.query("ROLLBACK").catch(() => {});
        connection.release(true);
        throw error;
      }
    },
  };
}
