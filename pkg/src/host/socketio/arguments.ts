import { error } from "../../errors.js";

/** What travels as a frame of its own. */
export type Attachment = ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob;

/** The arguments of an event as text, and what the text has placeholders for. */
export interface EncodedArguments {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** Throws an error that says why the arguments cannot be written as JSON. */
export function encodeArguments(args: readonly unknown[]): EncodedArguments {
  const attachments: Attachment[] = [];
  function replace(this: Record<string, unknown>, name: string, value: unknown): unknown {
    // What has been through `toJSON` is no attachment any more.
    const given = this[name];
    return isAttachment(given) ? { _placeholder: true, num: attachments.push(given) - 1 } : value;
  }
  try {
    // A function that sees every value is slow, so it is used only where there may be an attachment.
    const text = JSON.stringify(
      args,
      mayHold(args, 0) ? (replace as (name: string, value: unknown) => unknown) : undefined,
    );
    return { text, attachments };
  } catch (cause) {
    throw error("unserialisable", "the arguments cannot be written as JSON (see `cause`)", cause);
  }
}

const isAttachment = (value: unknown): value is Attachment =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value) || (typeof Blob === "function" && value instanceof Blob);

/** Whether there may be an attachment in a value: in what is very deep, or says itself what it is as JSON, there may. */
function mayHold(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return depth > 32 || value.some((element) => mayHold(element, depth + 1));
  // Most objects are plain, and asking what else they might be is what takes time.
  if (Object.getPrototypeOf(value) !== Object.prototype) return !(value instanceof Date);
  if (depth > 32 || "toJSON" in value) return true;
  for (const name in value) if (mayHold((value as Record<string, unknown>)[name], depth + 1)) return true;
  return false;
}
