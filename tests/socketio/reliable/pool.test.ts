import { EventEmitter } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { type PostgresPool, postgres } from "../../../servers/socketio/src/index";

describe("a pool of PostgreSQL", () => {
  class Connection extends EventEmitter {
    released: (boolean | undefined)[] = [];
    query = async (statement: string) => ({ rows: [], command: this.answer(statement) });
    constructor(readonly answer: (statement: string) => string) {
      super();
    }
    release(error?: boolean): void {
      this.released.push(error);
    }
  }
  const poolOf = (connection: Connection): PostgresPool => ({ connect: async () => connection });

  it("does not take a commit that was answered with a rollback for one", async () => {
    const connection = new Connection((statement) => (statement === "COMMIT" ? "ROLLBACK" : statement));
    await expect(postgres(poolOf(connection)).transaction(async () => 1)).rejects.toThrow("nobody heeded");
    expect(connection.released).toEqual([true]);
  });

  it("fails a transaction whose connection breaks, and not the process", async () => {
    const connection = new Connection((statement) => statement);
    const broken = postgres(poolOf(connection)).transaction(async () => {
      connection.emit("error", new Error("terminated"));
      throw new Error("terminated");
    });
    await expect(broken).rejects.toThrow("terminated");
  });

  it("listens to a connection before anybody has it, because it may break in between", async () => {
    const pool = Object.assign(new EventEmitter(), poolOf(new Connection((statement) => statement)));
    postgres(pool);
    const connection = new Connection((statement) => statement);
    pool.emit("connect", connection);
    expect(() => connection.emit("error", new Error("terminated"))).not.toThrow();
  });

  it.each([
    ["INSERT INTO q VALUES (?, 'really?', ?)", "INSERT INTO q VALUES ($1, 'really?', $2)"],
    [
      "SELECT 'it''s ?', E'\\'?', \"?\", $$?$$, $t$?$t$ -- ?\n, ?",
      "SELECT 'it''s ?', E'\\'?', \"?\", $$?$$, $t$?$t$ -- ?\n, $1",
    ],
    ["SELECT /* /* */ ? */ ?", "SELECT /* /* */ ? */ $1"],
    ["SELECT /* what?\n? */ ?", "SELECT /* what?\n? */ $1"],
  ])("numbers what stands for a value, and no other question mark: %s", async (given, sent) => {
    const statements: string[] = [];
    const connection = new Connection((statement) => {
      statements.push(statement);
      return statement;
    });
    await postgres(poolOf(connection)).transaction((sql) => sql(given, 1, 2));
    expect(statements[1]).toBe(sent);
  });

  it("runs a transaction again that another was in the way of, but not for ever", async () => {
    const database = postgres(poolOf(new Connection((statement) => statement)));
    const conflict = Object.assign(new Error("deadlock"), { code: "40P01" });
    const work = vi
      .fn(async () => 7)
      .mockRejectedValueOnce(conflict)
      .mockRejectedValueOnce(conflict);
    await expect(database.transaction(work)).resolves.toBe(7);
    const hopeless = vi.fn().mockRejectedValue(conflict);
    await expect(database.transaction(hopeless)).rejects.toBe(conflict);
    expect([work.mock.calls.length, hopeless.mock.calls.length]).toEqual([3, 5]);
  });
});
