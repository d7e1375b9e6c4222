/**
 * Checks what the server sends with any Standard Schema.
 *
 * @module everwire/validate
 */

import type { Envelope } from "./envelope.js";
import type { EventIssue, EventValidator, InvalidEvent } from "./lifecycle.js";

/**
 * A schema of Standard Schema version 1 (standardschema.dev), as zod, valibot, arktype and others make them; `Output` is what it makes of valid data.
 */
export interface StandardSchema<Output = unknown> {
  /** What the standard asks of a schema. */
  readonly "~standard": StandardProps<Output>;
}

/** What the standard asks of a schema. */
export interface StandardProps<Output = unknown> {
  /** The version of the standard. */
  readonly version: 1;
  /** The library that the schema is of. */
  readonly vendor: string;
  /** Checks a value, and makes an output of one that fits. */
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  /** For the compiler: what goes in and what comes out. There is no such value. */
  readonly types?: StandardTypes<Output> | undefined;
}

/** What goes into a schema and what comes out. */
export interface StandardTypes<Output = unknown> {
  /** What fits. */
  readonly input: unknown;
  /** What the schema makes of it. */
  readonly output: Output;
}

/** What a schema says of data: what it has made of it, or what is wrong with it. */
export type StandardResult<Output> =
  | {
      /** What it has made of the data. */
      readonly value: Output;
      /** None: the data fits. */
      readonly issues?: undefined;
    }
  | {
      /** What is wrong with the data. */
      readonly issues: readonly StandardIssue[];
    };

/** One thing that is wrong, as a schema says it. */
export interface StandardIssue {
  /** Why, for people. */
  readonly message: string;
  /** Where: names and indices, or objects with them. */
  readonly path?: readonly (PropertyKey | StandardPathSegment)[] | undefined;
}

/** One step of a path. */
export interface StandardPathSegment {
  /** The name or the index. */
  readonly key: PropertyKey;
}

/** The schemas of events, by their names. */
export interface Schemas {
  readonly [event: string]: StandardSchema;
}

/** The map of events for `NativeSocketClient` that their schemas describe: `new NativeSocketClient<InferEvents<typeof schemas>>()`. */
export type InferEvents<Each extends Schemas> = {
  -readonly [Name in keyof Each]: NonNullable<Each[Name]["~standard"]["types"]>["output"];
};

/**
 * Makes the option `schemas` of a client. What the server sends is checked before any handler of the event hears it: what fits is delivered as the
 * schema's output, with its defaults and transformations; what does not goes to the client's event `invalid`, and to nobody else. Events without a
 * schema are delivered as they come. Conversations of `chat()` read what the server has said, and not the output; `showToasts` and typing alone read the output, so a schema of
 * theirs must keep the fields that it does not name, as `z.looseObject` of zod does.
 *
 * Throws a `TypeError` that names the event whose schema is none. Schemas must be synchronous, because events are delivered in order: what an
 * asynchronous one is given, or one that throws, is not delivered, and the client's `error` event has the code `schema_failed`.
 */
export function validate(schemas: Schemas): EventValidator {
  const checks = new Map<string, StandardProps>();
  for (const [event, schema] of Object.entries(schemas)) {
    const check = schema?.["~standard"];
    if (check?.version !== 1) {
      throw new TypeError(`the schema of "${event}" is no Standard Schema, as those of zod, valibot and arktype are`);
    }
    checks.set(event, check);
  }
  return (message) => {
    const check = checks.get(message.type);
    if (!check) return undefined;
    const result = check.validate(message.data);
    if (!("then" in result)) return outcome(message, result);
    result.then(undefined, () => {});
    throw new TypeError(`the schema of "${message.type}" is asynchronous: events need schemas that are not`);
  };
}

function outcome(message: Envelope, result: StandardResult<unknown>): InvalidEvent | undefined {
  if (result.issues) return { type: message.type, issues: result.issues.map(issue), message };
  (message as { data: unknown }).data = result.value;
  return undefined;
}

const issue = ({ message, path = [] }: StandardIssue): EventIssue => ({
  path: path.map((step) => (typeof step === "object" ? step.key : step)),
  message,
});
