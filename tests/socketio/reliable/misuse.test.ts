import { EventEmitter, once } from "node:events";
import Sqlite from "libsql";
import type { Socket } from "socket.io";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type Database,
  type Everwire,
  everwire,
  type Handler,
  type PostgresPool,
  postgres,
  type Sql,
  type SqliteConnection,
  sqlite,
} from "../../../servers/socketio/src/index";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

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

/** Remembers nothing but the last number, and what was said to it. */
class Memory implements Database {
  last = 0;
  readonly statements: string[] = [];
  readonly failing = new Set<string>();
  readonly #sql: Sql = async (statement, ...values) => {
    this.statements.push(statement);
    await new Promise(setImmediate);
    if ([...this.failing].some((part) => statement.includes(part))) throw new Error("secret words");
    if (statement.startsWith("UPDATE everwire_clients")) {
      this.last = Number(values[0]);
      return [{ last: this.last }];
    }
    if (statement.startsWith("SELECT position")) return [];
    return [{ last: this.last, newest: 0, oldest: null, epoch: 1 }];
  };
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return work(this.#sql);
  }
}

interface Said {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** A socket, and what the server says to it. */
function visit(wire: Everwire) {
  const said: Said[] = [];
  const closes: unknown[] = [];
  const server = { opts: { maxHttpBufferSize: 1e6 } };
  const conn = Object.assign(new EventEmitter(), { server, writeBuffer: [], close: vi.fn() });
  const heard = new EventEmitter();
  const news = new EventEmitter();
  const emit = (event: string, what: unknown) => {
    if (event === "everwire_close") closes.push(what);
    else said.push(what as Said);
    news.emit("said");
  };
  const socket = { conn, nsp: { name: "/" }, connected: true, emit, on: heard.on.bind(heard) };
  wire(socket as unknown as Socket, () => {});
  const until = async (type: string) => {
    for (let n = 0; n < 100; n++) {
      const found = said.find((frame) => frame.type === type);
      if (found) return found.data;
      await once(news, "said");
    }
    throw new Error(`no ${type}`);
  };
  const say = (frame: object) => void heard.emit("everwire", frame);
  return { say, until, said, closes, socket, wire, close: () => wire.close() };
}

const HELLO = { type: "hello", data: { versions: [1], client_id: "k3Zq8vXw2LmN4pRt" } };

/** A socket that has said hello. */
async function connected(
  database: Database,
  handlers: Record<string, Handler>,
  limits: { handlerTimeoutMs?: number } = {},
) {
  const ada = visit(everwire({ database, user: () => "ada", handlers, ...limits }));
  ada.say(HELLO);
  await ada.until("welcome");
  return ada;
}

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

it("a hello that the database holds up is given up before the client does, and takes nothing from a later one", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const inner = sqlite(new Sqlite(":memory:"));
  const held: Promise<void>[] = [];
  const database: Database = {
    transaction: async (work) => {
      await held.shift();
      return inner.transaction(work);
    },
  };
  const wire = everwire({ database, user: () => "ada", handlers: { note: () => ({}) } });
  await wire.transaction(async () => {});
  const written = vi.spyOn(console, "error");
  let free = () => {};
  held.push(new Promise((resolve) => (free = resolve)));
  const early = visit(wire);
  early.say(HELLO);
  await vi.advanceTimersByTimeAsync(4_999);
  expect(early.closes).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(early.closes).toEqual([1013]);

  const late = visit(wire);
  late.say(HELLO);
  await late.until("welcome");
  free();
  await wire.transaction(async () => {});
  late.say({ type: "note", data: {}, seq: 1 });
  expect(await late.until("ack")).toEqual({ seq: 1 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect([early.said, early.closes, late.closes]).toEqual([[], [1013], []]);
  expect(written).not.toHaveBeenCalled();
  wire.close();
});

it("a hello that is given up behind the row of its client leaves nothing", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const written = vi.spyOn(console, "error");
  const inner = sqlite(new Sqlite(":memory:"));
  let free = () => {};
  const held = new Promise<void>((resolve) => (free = resolve));
  let isHeld = () => {};
  const holding = new Promise<void>((resolve) => (isHeld = resolve));
  const database: Database = {
    transaction: (work) =>
      inner.transaction((sql) =>
        work(async (statement, ...values) => {
          const rows = await sql(statement, ...values);
          if (statement.startsWith("INSERT INTO everwire_clients")) {
            isHeld();
            await held;
          }
          return rows;
        }),
      ),
  };
  const ada = visit(everwire({ database, user: () => "ada", handlers: {} }));
  ada.say(HELLO);
  await holding;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ada.closes).toEqual([1013]);
  free();
  expect(await inner.transaction((sql) => sql("SELECT client_id FROM everwire_clients"))).toEqual([]);
  expect(ada.said).toEqual([]);
  expect(written).not.toHaveBeenCalled();
  ada.close();
});

it("a hello that is late, or fails, ends nothing where its socket has left the namespace, and is reported", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const written = vi.spyOn(console, "error").mockReturnValue();
  let fail = (_: Error) => {};
  const held = new Promise<never>((_, reject) => (fail = reject));
  const ada = visit(everwire({ database: { transaction: () => held }, user: () => "ada", handlers: {} }));
  ada.say(HELLO);
  ada.socket.connected = false;
  await vi.advanceTimersByTimeAsync(5_000);
  fail(new Error("secret words"));
  await expect.poll(() => written.mock.calls).toEqual([[expect.stringMatching("what a message asked for has failed")]]);
  expect([ada.closes, ada.socket.conn.close.mock.calls]).toEqual([[], []]);
  ada.close();
});

it("a second hello neither moves a stream back nor tells an event twice", async () => {
  const ada = await connected(sqlite(new Sqlite(":memory:")), {});
  await ada.wire.transaction((sql) => ada.wire.publish(sql, "ada", "noted", {}));
  // On SQLite one transaction comes after the other: what the welcome has begun is over then.
  for (let n = 0; n < 5; n++) await ada.wire.transaction(async () => {});
  const { user: position } = (await ada.until("welcome"))["streams"] as { user: number };
  ada.wire.wake("ada");
  ada.say({ type: "hello", data: { versions: [1], client_id: "anotherTabOfTheSame1" } });
  await expect.poll(() => ada.said.filter(({ type }) => type === "welcome").length).toBe(2);
  expect(ada.said.map(({ type }) => type)).toEqual(["welcome", "noted", "welcome"]);
  expect(ada.said.at(-1)?.data["streams"]).toMatchObject({ user: position + 1 });
  await ada.wire.transaction((sql) => ada.wire.publish(sql, "ada", "noted", {}));
  ada.wire.wake("ada");
  await expect.poll(() => ada.said.filter(({ type }) => type === "noted").length).toBe(2);
  const offsets = ada.said.flatMap((frame) => ("offset" in frame ? [frame.offset] : []));
  expect(offsets).toEqual([position + 1, position + 2]);
  ada.close();
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
