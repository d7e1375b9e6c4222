import Sqlite from "libsql";
import { afterEach, expect, it, vi } from "vitest";
import { type Database, everwire, sqlite } from "../../../servers/socketio/src/index";

afterEach(() => void vi.restoreAllMocks());

/** The epoch that a server with this option serves. */
async function served(database: Database, epoch?: number): Promise<number> {
  const wire = everwire({ database, user: () => "ada", handlers: {}, ...(epoch !== undefined && { epoch }) });
  const rows = await wire.transaction((sql) => sql("SELECT epoch FROM everwire_epoch")).finally(wire.close);
  return Number(rows[0]?.["epoch"]);
}

it("a higher epoch begins and is kept, and a lower one is refused with both numbers", async () => {
  const written = vi.spyOn(console, "error").mockReturnValue();
  const database = sqlite(new Sqlite(":memory:"));
  const first = await served(database);
  expect(first).toBeGreaterThan(1.7e12);
  expect(await served(database, first + 5)).toBe(first + 5);
  expect(await served(database, first + 5)).toBe(first + 5);
  expect(await served(database)).toBe(first + 5);
  expect(written).not.toHaveBeenCalled();
  const why = `the option \`epoch\` is ${first}, and must not be lower than ${first + 5}, which the database has already`;
  await expect(served(database, first)).rejects.toThrow(why);
  expect(written.mock.calls).toEqual([[`everwire: ${why}`]]);
  expect(await served(database)).toBe(first + 5);
});

it("a lower epoch that is found when the database comes back is said once", async () => {
  const written = vi.spyOn(console, "error").mockReturnValue();
  const inner = sqlite(new Sqlite(":memory:"));
  await served(inner, 7);
  let isAway = true;
  const database: Database = {
    transaction: (work) => (isAway ? Promise.reject(new Error("away")) : inner.transaction(work)),
  };
  const wire = everwire({ database, user: () => "ada", handlers: {}, epoch: 6 });
  await expect(wire.transaction(async () => {})).rejects.toThrow("away");
  expect(written).not.toHaveBeenCalled();
  isAway = false;
  for (let n = 0; n < 2; n++)
    await expect(wire.transaction(async () => {})).rejects.toThrow("must not be lower than 7");
  expect(written.mock.calls).toEqual([[expect.stringMatching("must not be lower than 7")]]);
  wire.close();
});

it("a new database takes any epoch", async () => {
  expect(await served(sqlite(new Sqlite(":memory:")), 7)).toBe(7);
});

it.each([0, -1, 1.5, Number.NaN, "7"])(
  "an epoch that is no whole number from 1 is refused at the start: %j",
  (epoch) => {
    const database = sqlite(new Sqlite(":memory:"));
    expect(() => everwire({ database, user: () => "ada", handlers: {}, epoch: epoch as number })).toThrow(RangeError);
  },
);
