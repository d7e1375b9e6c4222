import type { InvalidEvent } from "everwire";
import { type Schemas, validate } from "everwire/validate";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { makeClient, openClient, recorder, useStandIns } from "./harness/clients";
import { comeBack, welcomedClient } from "./harness/reliable";
import { StandInSocket } from "./harness/standInSocket";

useStandIns();

const zodSchemas = {
  score: z.object({ points: z.number(), by: z.object({ tags: z.array(z.string()) }).optional() }),
  note: z.object({ text: z.string().trim(), level: z.string().default("info") }),
};

/** A schema written by hand, which doubles the points. */
const doubling: Schemas[string] = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate(value) {
      const { points } = value as { points: unknown };
      if (typeof points === "number") return { value: { points: 2 * points } };
      return { issues: [{ message: "no number", path: [{ key: "points" }, 0] }] };
    },
  },
};

function checkedClient(schemas: Schemas) {
  const { client, socket } = openClient({ schemas: validate(schemas) });
  const valid = recorder();
  const invalid = recorder<InvalidEvent>();
  const errors = recorder();
  for (const event of Object.keys(schemas)) client.on(event, valid.handler);
  client.on("invalid", invalid.handler);
  client.on("error", errors.handler);
  return { client, socket, valid: valid.heard, invalid: invalid.heard, errors: errors.heard };
}

describe("an event that fits its schema", () => {
  it("is delivered as the schema's output, to handlers of its own and of every event, and in the message", () => {
    const { client, socket, valid, invalid } = checkedClient(zodSchemas);
    const messages: unknown[] = [];
    client.onAny((_, data, message) => messages.push(data, message.data));
    socket.says("note", { text: "  hello ", unknown: 1 });
    const output = { text: "hello", level: "info" };
    expect(valid).toEqual([output]);
    expect(messages).toEqual([output, output]);
    expect(invalid).toEqual([]);
  });

  it("may have been checked by a schema written by hand", () => {
    const { socket, valid, invalid } = checkedClient({ score: doubling });
    socket.says("score", { points: 4 });
    expect([valid, invalid]).toEqual([[{ points: 8 }], []]);
  });

  it("is checked without data as an empty object", () => {
    const { socket, valid } = checkedClient({ left: z.object({ why: z.string().default("tired") }) });
    socket.says("left");
    expect(valid).toEqual([{ why: "tired" }]);
  });
});

describe("an event that does not fit its schema", () => {
  it("is heard by nobody but `invalid`, with where and why, and as it came", () => {
    const { client, socket, valid, invalid, errors } = checkedClient(zodSchemas);
    const any = recorder();
    client.onAny(any.handler);
    const data = { points: "4", by: { tags: ["a", 5] } };
    socket.says("score", data, { timestamp: 7 });
    expect([valid, any.heard, errors]).toEqual([[], [], []]);
    expect(invalid).toEqual([
      {
        type: "score",
        issues: [
          { path: ["points"], message: expect.stringContaining("expected number") },
          { path: ["by", "tags", 1], message: expect.stringContaining("expected string") },
        ],
        message: { type: "score", data, timestamp: 7 },
      },
    ]);
    socket.says("score", { points: 4 });
    expect(valid).toEqual([{ points: 4 }]);
  });

  it("has the path that a schema gives in segments, or none", () => {
    const none = { "~standard": { ...doubling["~standard"], validate: () => ({ issues: [{ message: "never" }] }) } };
    const { socket, invalid } = checkedClient({ score: doubling, never: none as Schemas[string] });
    socket.says("score", {});
    socket.says("never", {});
    expect(invalid.map(({ issues }) => issues)).toEqual([
      [{ path: ["points", 0], message: "no number" }],
      [{ path: [], message: "never" }],
    ]);
  });

  it("reaches the logger by its name alone", () => {
    const lines: string[] = [];
    const logger = { warn: (text: string) => lines.push(text) };
    const { socket } = openClient({ logger, schemas: validate({ score: z.literal("secret") }) });
    socket.says("score", { points: "secret" });
    expect(lines).toEqual(['everwire: invalid {"type":"score"}']);
  });

  it("counts as received in the reliable mode, and is not asked for again", () => {
    const { client, socket } = welcomedClient({ schemas: validate(zodSchemas) });
    const { handler, heard } = recorder();
    const invalid = recorder();
    client.on("score", handler);
    client.on("invalid", invalid.handler);
    socket.says("welcome", {});
    socket.says("score", { points: "1" }, { stream: "user:1", offset: 1, prev: 0 });
    socket.says("score", { points: 2 }, { stream: "user:1", offset: 2, prev: 1 });
    expect([heard, invalid.heard.length]).toEqual([[{ points: 2 }], 1]);
    const next = comeBack();
    const hello = next.frames.find(({ type }) => type === "hello");
    expect(hello?.data).toMatchObject({ streams: { "user:1": 2 } });
  });
});

it("events without a schema are delivered as they come, also those named like members of every object", () => {
  const { client, socket, invalid } = checkedClient(zodSchemas);
  const { handler, heard } = recorder();
  for (const event of ["other", "constructor", "__proto__", "toString"]) client.on(event, handler);
  for (const event of ["other", "constructor", "__proto__", "toString"]) socket.says(event, { event });
  expect(heard).toEqual(["other", "constructor", "__proto__", "toString"].map((event) => ({ event })));
  expect(invalid).toEqual([]);
});

it("a server cannot send an event named `invalid`", () => {
  const { socket, invalid, errors } = checkedClient({});
  socket.says("invalid", { type: "score", issues: [] });
  expect(invalid).toEqual([]);
  expect(errors).toMatchObject([{ code: "bad_frame" }]);
});

describe("a schema that cannot tell", () => {
  const rejecting = { "~standard": { ...doubling["~standard"], validate: () => Promise.reject(new Error("offline")) } };

  it.each([
    ["zod", z.object({ id: z.string().refine(async () => true) })],
    ["hand, and rejects,", rejecting],
  ])(
    "because it is asynchronous, made by %s is named in an error, and nothing is delivered",
    async (_, asynchronous) => {
      const { socket, valid, invalid, errors } = checkedClient({ user: asynchronous });
      socket.says("user", { id: "1" });
      await vi.advanceTimersByTimeAsync(0);
      expect([valid, invalid]).toEqual([[], []]);
      expect(errors).toMatchObject([{ code: "schema_failed", event: "user", cause: { name: "TypeError" } }]);
      expect(String((errors[0] as Error).cause)).toContain('the schema of "user" is asynchronous');
    },
  );

  it("because it throws, is reported with what it threw, and the connection goes on", () => {
    const cause = new RangeError("unwell");
    const fail = () => {
      throw cause;
    };
    const failing = { "~standard": { ...doubling["~standard"], validate: fail } };
    const { client, socket, valid, errors } = checkedClient({ score: failing, note: zodSchemas.note });
    socket.says("score", {});
    socket.says("note", { text: "still here" });
    expect(errors).toMatchObject([{ code: "schema_failed", event: "score", cause }]);
    expect(valid).toEqual([{ text: "still here", level: "info" }]);
    expect(client.isConnected()).toBe(true);
  });
});

it.each([undefined, null, "fine", { issues: 5 }, { issues: [null] }])(
  "a schema that says %o of its data is reported, and the event is not delivered",
  (said) => {
    const odd = { "~standard": { ...doubling["~standard"], validate: () => said as never } };
    const { socket, valid, invalid, errors } = checkedClient({ score: odd });
    socket.says("score", { points: 1 });
    expect([valid, invalid]).toEqual([[], []]);
    expect(errors).toMatchObject([{ code: "schema_failed", event: "score", cause: { name: "TypeError" } }]);
  },
);

it.each([null, undefined, {}, { "~standard": { version: 2 } }, z.string])("%o is refused as a schema", (schema) => {
  expect(() => validate({ score: schema as unknown as Schemas[string] })).toThrow('the schema of "score"');
});

it("the option takes what validate() makes, not the schemas themselves", () => {
  expect(() => makeClient({ schemas: zodSchemas as never })).toThrow("everwire/validate");
  expect(StandInSocket.made).toEqual([]);
});
