import { expect, it } from "vitest";
import { type Database, everwire } from "../../../servers/socketio/src/index";

it.each([
  ["welcome", {}],
  ["ack", {}],
  ["close", {}],
  ["", {}],
  ["é".repeat(65), {}],
  [undefined, {}],
  ["noted", [1]],
  ["noted", null],
])("an event that no client could take is refused to who publishes it: %j %j", async (type, data) => {
  const wire = everwire({ database, user: () => "ada", handlers: {} });
  const published = wire.transaction((_, publish) => publish("ada", type as string, data as object));
  await expect(published).rejects.toThrow(RangeError);
  await expect(wire.transaction((_, publish) => publish("ada", "noted", { n: 1 }))).resolves.toBeUndefined();
  wire.close();
});

const database: Database = { transaction: (work) => work(async () => []) };
