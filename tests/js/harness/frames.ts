import { readdirSync, readFileSync } from "node:fs";
import { rootPath } from "./paths";
import type { Random } from "./random";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every frame of the conversations in docs/vectors, whoever says it. */
export function knownFrames(): string[] {
  const directory = rootPath("docs/vectors");
  const files = readdirSync(directory).filter((file) => file.endsWith(".json"));
  return files.flatMap((file) => {
    const { steps } = JSON.parse(readFileSync(`${directory}/${file}`, "utf8")) as {
      steps: { client?: object; server?: object }[];
    };
    return steps.flatMap(({ client, server }) =>
      [client, server].filter(Boolean).map((frame) => JSON.stringify(frame)),
    );
  });
}

/** What a socket might hand over: frames that are damaged a little, noise, and what is no text. */
export function anyFrame(random: Random, known: readonly string[]): unknown {
  const text = random.one(known);
  switch (random.below(8)) {
    case 0:
      return random.one([null, undefined, 7, true, {}, new ArrayBuffer(3), new Blob(["{}"])]);
    case 1:
      return noise(random, random.below(40));
    case 2:
      return damaged(random, text);
    case 3:
      return JSON.stringify(anyValue(random, 3));
    default: {
      const frame = JSON.parse(text) as Json;
      for (let changes = random.below(3); changes >= 0; changes--) change(random, frame);
      return JSON.stringify(frame);
    }
  }
}

const noise = (random: Random, length: number): string =>
  String.fromCharCode(
    ...Array.from({ length }, () => (random.below(4) ? 32 + random.below(95) : random.below(0x1_0000))),
  );

function damaged(random: Random, text: string): string {
  const at = random.below(text.length);
  return text.slice(0, at) + noise(random, random.below(3)) + text.slice(at + random.below(3));
}

/** Puts something else in one place of a frame. */
function change(random: Random, frame: Json): void {
  let target = frame;
  while (typeof target === "object" && target !== null) {
    const object = target as Record<string, Json>;
    const keys = Object.keys(object);
    const key = random.one(random.below(3) && keys.length ? keys : Array.isArray(target) ? ["0"] : FIELDS);
    const value = Object.hasOwn(object, key) ? object[key] : null;
    if (typeof value === "object" && value !== null && random.below(3)) {
      target = value;
      continue;
    }
    if (random.below(5)) define(object, key, anyValue(random, 2));
    else delete object[key];
    return;
  }
}

/** An assignment would set the prototype. */
const define = (object: object, key: string, value: Json): void => {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
};

function anyValue(random: Random, depth: number): Json {
  if (depth === 0 || random.below(3)) return random.one(VALUES);
  const length = random.below(3);
  if (random.below(2)) return Array.from({ length }, () => anyValue(random, depth - 1));
  const object = {};
  for (let left = length; left > 0; left--) define(object, random.one(FIELDS), anyValue(random, depth - 1));
  return object;
}

const FIELDS = [
  ...[
    "type",
    "data",
    "timestamp",
    "seq",
    "prev",
    "stream",
    "offset",
    "request",
    "version",
    "epoch",
    "last",
    "window",
    "streams",
  ],
  ...["status", "code", "about", "message", "result", "__proto__", "constructor", "toString", "length", ""],
];

const VALUES: readonly Json[] = [
  ...[null, true, false, 0, 1, 2, 3, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 64, 1e308, -1e308],
  ...[
    "",
    "1",
    "user",
    "client:",
    "welcome",
    "ack",
    "error",
    "reply",
    "receipt",
    "stream",
    "pong",
    "hello",
    "note",
    "read",
  ],
  ...["delivered", "open", "close", "gap", "__proto__", "constructor", "\ud800", "\u0000", "x".repeat(300)],
];
