import type { Envelope, EventIssue, EventValidator, InvalidEvent } from "./types.js";

/**
 * A schema of Standard Schema version 1 (standardschema.dev), as zod, valibot, arktype and others make them; `Output` is what it makes of valid data.
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a schema says of data: what it has made of it, or what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong, as a schema says it. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
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
 * schema are delivered as they come.
 *
 * Throws a `TypeError` that names the event whose schema is none. Schemas must be synchronous, because events are delivered in order: what an
 * asynchronous one is given, or one that throws, is not delivered, and the client's `error` event has the code `schema_failed`.
 */
export function validate(schemas: Schemas): EventValidator {
  const checks = new Map<string, StandardSchema["~standard"]>();
  for (const [event, schema] of Object.entries(schemas)) {
    const check = schema?.["~standard"];
    if (check?.version !== 1) {
      throw new TypeError(`the schema of "${event}" is no Standard Schema, as those of zod, valibot and arktype are`);
    }
    checks.set(event, check);
  }
  return (message) => {
    const result = checks.get(message.type)?.validate(message.data);
    if (!result) return undefined;
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
