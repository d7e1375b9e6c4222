import { type EventIssue, type EventValidator, type InvalidEvent, NativeSocketClient } from "everwire";
import { type InferEvents, type StandardSchema, validate } from "everwire/validate";
import { z } from "zod";
import { exactly } from "./assert";

const schemas = {
  score: z.object({ points: z.number() }),
  note: z.object({ text: z.string(), level: z.string().default("info"), at: z.string().transform(Number) }),
};

type FromServer = InferEvents<typeof schemas>;
exactly<{
  score: { points: number };
  note: { text: string; level: string; at: number };
}>()({} as FromServer);

const client = new NativeSocketClient<FromServer, { move: { x: number } }>({ schemas: validate(schemas) });
client.on("note", ({ level, at }) => {
  exactly<string>()(level);
  exactly<number>()(at);
});
client.on("invalid", ({ type, issues, message }) => {
  exactly<string>()(type);
  exactly<readonly EventIssue[]>()(issues);
  exactly<unknown>()(message.data);
});
// @ts-expect-error no schema has that name
client.on("scored", () => {});
exactly<EventValidator>()(validate(schemas));

interface Other {
  left: { why: string };
}
const both = new NativeSocketClient<FromServer & Other>({ schemas: validate(schemas) });
both.on("left", ({ why }) => exactly<string>()(why));
both.on("score", ({ points }) => exactly<number>()(points));

const own: StandardSchema<{ points: number }> = {
  "~standard": { version: 1, vendor: "own", validate: () => ({ value: { points: 1 } }) },
};
exactly<{ score: { points: number } }>()({} as InferEvents<{ score: typeof own }>);

// @ts-expect-error a schema, not a type
validate({ score: String });
// @ts-expect-error made by validate()
new NativeSocketClient({ schemas });
// The function may be one's own.
new NativeSocketClient({
  schemas: (message): InvalidEvent | undefined => ({ type: message.type, issues: [], message }),
});
