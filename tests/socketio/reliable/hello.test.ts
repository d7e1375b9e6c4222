import Sqlite from "libsql";
import { afterEach, expect, it, vi } from "vitest";
import { type Database, everwire, sqlite } from "../../../servers/socketio/src/index";
import { connected, HELLO, visit } from "./socket";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
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
