import { EventEmitter } from "node:events";
import Sqlite from "libsql";
import type { Socket } from "socket.io";
import { afterEach, describe, expect, it, vi } from "vitest";
import { everwire, type Sql, type SqliteConnection, sqlite } from "../../../servers/socketio/src/index";
import { connected, Memory } from "./socket";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a handler", () => {
  it("that goes on after a failed statement is refused where the database says that nothing of it stays", async () => {
    const database = new Memory();
    database.failing.add("RELEASE");
    const ada = await connected(database, { note: () => ({}) });
    ada.say({ type: "note", data: {}, seq: 1 });
    expect(await ada.until("error")).toMatchObject({ code: "internal", seq: 1 });
    expect(await ada.until("ack")).toEqual({ seq: 1 });
    ada.close();
  });

  it.each(["fails", "answers a request with what is no object"])(
    "that %s is refused, and its words are not written",
    async (how) => {
      const written = vi.spyOn(console, "error").mockReturnValue();
      const ada = await connected(new Memory(), {
        note: () => {
          if (how === "fails") throw new TypeError("secret words");
          return ["secret words"];
        },
      });
      ada.say({ type: "note", data: {}, seq: 1, request: true });
      expect(await ada.until("ack")).toEqual({ seq: 1 });
      expect(written.mock.calls).toEqual([
        [expect.stringMatching(/a handler of "note" has failed: (Type|Range)Error at /)],
      ]);
      expect(JSON.stringify(written.mock.calls)).not.toContain("secret");
      ada.close();
    },
  );

  it("whose work behind the commit fails at once or later is acknowledged, and no words are written", async () => {
    const written = vi.spyOn(console, "error").mockReturnValue();
    const ada = await connected(new Memory(), {
      note: ({ afterCommit }) => {
        afterCommit(() => {
          throw new Error("secret words");
        });
        afterCommit(() => Promise.reject(new Error("secret words")));
      },
    });
    ada.say({ type: "note", data: {}, seq: 1 });
    expect(await ada.until("ack")).toEqual({ seq: 1 });
    await expect.poll(() => written.mock.calls.length).toBe(2);
    expect(JSON.stringify(written.mock.calls)).not.toContain("secret");
    ada.close();
  });

  it("that does not wait for a statement that fails ends nothing, and its statements are waited for", async () => {
    const database = new Memory();
    database.failing.add("broken");
    const late: Promise<unknown>[] = [];
    const ada = await connected(database, {
      note: ({ sql, afterCommit }) => {
        void sql("broken");
        afterCommit(() => {
          late.push(sql("too late"));
        });
      },
    });
    ada.say({ type: "note", data: {}, seq: 1 });
    await ada.until("ack");
    await expect.poll(() => late.length).toBe(1);
    await expect(late[0]).rejects.toThrow("the transaction has ended");
    expect(database.statements).not.toContain("too late");
    expect(database.statements.indexOf("broken")).toBeLessThan(
      database.statements.indexOf("RELEASE SAVEPOINT everwire"),
    );
    ada.close();
  });

  it("that waits for nothing is committed with all that follows from what it has begun", async () => {
    const database = new Memory();
    const ada = await connected(database, {
      note: ({ sql, publish }) => {
        const task = async () => {
          await sql("first");
          await publish("grace", "noted", {});
          await sql("last");
        };
        void task();
      },
    });
    ada.say({ type: "note", data: {}, seq: 1 });
    await ada.until("ack");
    const own = ["first", "INSERT INTO everwire_events", "last", "RELEASE"];
    const found = own.map((start) => database.statements.findIndex((statement) => statement.startsWith(start)));
    expect(found).toEqual(found.toSorted((one, other) => one - other));
    expect(found).not.toContain(-1);
    ada.close();
  });

  it.each([
    "COMMIT",
    " /* for now */ -- and then\n end",
    "SELECT 'it''s; done'; RollBack",
    "SELECT 1 /* ; */;;PREPARE TRANSACTION 'mine'",
    "RELEASE everwire",
    'release savepoint /* mine */ "Everwire"',
    "SAVEPOINT [everwire]",
    "/* /* */ */ COMMIT",
    "/* /* */ COMMIT",
    'RELEASE U&"everwire"',
    "SAVEPOINT U&\"!0065verwire\" UESCAPE '!'",
    "ROLLBACK TO 'everwire'",
  ])("that tries to end the transaction is refused: %s", async (statement) => {
    const database = new Memory();
    const ada = await connected(database, { note: ({ sql }) => sql(statement) });
    ada.say({ type: "note", data: {}, seq: 1 });
    expect(await ada.until("error")).toMatchObject({ code: "internal", seq: 1 });
    expect(database.statements).not.toContain(statement);
    ada.close();
  });

  it.each([
    "ROLLBACK TO SAVEPOINT mine",
    "RELEASE everwires",
    "SELECT 1 /* /* */ ; */",
    "SELECT 'a; COMMIT', $tag$; COMMIT; $tag$, E'\\'; COMMIT' /* ; COMMIT */ AS \"; END\"",
    "SELECT CASE WHEN 1 THEN 2 END",
  ])("may use the words where nothing ends: %s", async (statement) => {
    const database = new Memory();
    const ada = await connected(database, { note: ({ sql }) => sql(statement) });
    ada.say({ type: "note", data: {}, seq: 1 });
    expect(await ada.until("ack")).toEqual({ seq: 1 });
    expect(database.statements).toContain(statement);
    ada.close();
  });

  it("that never ends is refused, and those behind it go on", async () => {
    const handlers = { never: () => new Promise(() => {}), note: () => ({}) };
    const ada = await connected(new Memory(), handlers, { handlerTimeoutMs: 50 });
    ada.say({ type: "never", data: {}, seq: 1 });
    ada.say({ type: "note", data: {}, seq: 2 });
    expect(await ada.until("error")).toMatchObject({ code: "internal", seq: 1 });
    await expect.poll(() => ada.said.filter((frame) => frame.type === "ack").at(-1)?.data).toEqual({ seq: 2 });
    ada.close();
  });
});

describe.each([
  ["says whether it is in a transaction", (connection: SqliteConnection) => connection],
  [
    "does not say whether it is in a transaction",
    (connection: SqliteConnection): SqliteConnection => ({
      exec: (statements) => connection.exec(statements),
      prepare: (statement) => connection.prepare(statement),
    }),
  ],
])("on a connection to SQLite that %s", (_, disguise) => {
  const open = async () => {
    const database = sqlite(disguise(new Sqlite(":memory:")));
    await database.transaction(async (sql) => {
      await sql("CREATE TABLE notes (text TEXT)");
      await sql("CREATE TABLE names (name TEXT PRIMARY KEY)");
      await sql("INSERT INTO names VALUES ('ada')");
    });
    const notes = () => database.transaction((sql) => sql("SELECT text FROM notes"));
    return { database, notes };
  };
  const insertAround = async (sql: Sql) => {
    await sql("INSERT INTO notes VALUES ('before')");
    await sql("INSERT OR ROLLBACK INTO names VALUES ('ada')").catch(() => {});
    await sql("INSERT INTO notes VALUES ('after')").catch(() => {});
  };

  it("a message whose statement rolls back the transaction is refused once, and nothing of it stays", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    const { database, notes } = await open();
    const lose = vi.fn(({ sql }: { sql: Sql }) => insertAround(sql));
    const ada = await connected(database, { lose, note: ({ sql }) => sql("INSERT INTO notes VALUES ('next')") });
    ada.say({ type: "lose", data: {}, seq: 1 });
    ada.say({ type: "lose", data: {}, seq: 2, request: true });
    ada.say({ type: "lose", data: {} });
    ada.say({ type: "note", data: {}, seq: 3 });
    await expect.poll(() => ada.said.filter(({ type }) => type === "ack").length).toBe(3);
    await expect.poll(() => ada.said.filter(({ type }) => type === "error").length).toBe(3);
    expect([lose.mock.calls.length, ada.closes, await notes()]).toEqual([3, [], [{ text: "next" }]]);
    ada.close();
  });

  it("a transaction of the application's that is rolled back fails, and nothing of it stays", async () => {
    const { database, notes } = await open();
    const wire = everwire({ database, user: () => "ada", handlers: {} });
    await expect(wire.transaction(insertAround)).rejects.toThrow("rolled back the transaction");
    const kept = await database.transaction(async (sql) => sql);
    await expect(kept("INSERT INTO notes VALUES ('too late')")).rejects.toThrow("has ended");
    expect(await notes()).toEqual([]);
    wire.close();
  });
});

it.each([
  ["no more", true, { code: "SQLITE_FULL" }, 1013],
  ["no more", false, { code: "SQLITE_FULL" }, 1013],
  ["no more, as node:sqlite says it", true, { code: "ERR_SQLITE_ERROR", errcode: 778 }, 1013],
  ["no more, as PostgreSQL says it", false, { code: "53100" }, 1013],
  ["no more, as PostgreSQL says it", false, { code: "58030" }, 1013],
  ["no more, as PostgreSQL says it", false, { code: "25006" }, 1013],
  ["what it is given not, for a reason of its own", true, { code: "SQLITE_INTERRUPT" }, 1011],
])("a message is not refused where the storage takes %s (rolled back: %s)", async (_, isRolledBack, codes, close) => {
  vi.spyOn(console, "error").mockReturnValue();
  const connection: SqliteConnection = new Sqlite(":memory:");
  const failing: SqliteConnection = {
    exec: (statements) => connection.exec(statements),
    prepare: (statement) => {
      if (statement !== "full") return connection.prepare(statement);
      if (isRolledBack) connection.exec("ROLLBACK");
      throw Object.assign(new Error("database or disk is full"), codes);
    },
  };
  const ada = await connected(sqlite(failing), { note: ({ sql }) => sql("full") });
  ada.say({ type: "note", data: {}, seq: 1 });
  await expect.poll(() => ada.closes).toEqual([close]);
  expect(ada.said.map(({ type }) => type)).toEqual(["welcome"]);
  ada.close();
});

it.each(["53200", "53400", "58P01"])("a message whose own statement asks for too much is refused: %s", async (code) => {
  vi.spyOn(console, "error").mockReturnValue();
  const greedy = async () => {
    throw Object.assign(new Error("too much"), { code });
  };
  const ada = await connected(new Memory(), { greedy });
  ada.say({ type: "greedy", data: {}, seq: 1 });
  expect(await ada.until("ack")).toEqual({ seq: 1 });
  expect([await ada.until("error"), ada.closes]).toMatchObject([{ code: "internal", seq: 1 }, []]);
  ada.close();
});

it.each([
  [7, "number"],
  [undefined, "undefined"],
  ["", "an empty one"],
])("a user who is no text is refused: %j", (user, what) => {
  const written = vi.spyOn(console, "error").mockReturnValue();
  const wire = everwire({ database: new Memory(), user: () => user as string, handlers: {} });
  const next = vi.fn();
  wire(new EventEmitter() as unknown as Socket, next);
  expect(next.mock.calls).toEqual([[expect.any(TypeError)]]);
  expect(written.mock.calls).toEqual([[expect.stringMatching(`must return a string.*it returns ${what}$`)]]);
  wire.close();
});

it("a transaction of the application's is not its to end, and is committed with all that it has begun", async () => {
  const database = new Memory();
  const wire = everwire({ database, user: () => "ada", handlers: {} });
  await expect(wire.transaction((sql) => sql("COMMIT"))).rejects.toThrow("COMMIT is everwire's");
  const kept = await wire.transaction(async (sql, publish) => {
    void publish("ada", "noted", {});
    return sql;
  });
  expect(database.statements.at(-1)).toMatch("DELETE FROM everwire_events");
  await expect(kept("too late")).rejects.toThrow("the transaction has ended");
  expect(database.statements).not.toContain("too late");
  wire.close();
});

it("tables that could not be made are made by the next who needs them", async () => {
  const database = new Memory();
  database.failing.add("CREATE");
  const wire = everwire({ database, user: () => "ada", handlers: {} });
  const publish = () => wire.transaction((_, publish) => publish("ada", "noted", {}));
  await expect(publish()).rejects.toThrow();
  database.failing.clear();
  await expect(publish()).resolves.toBeUndefined();
  wire.close();
});
