import type { BufferOptions, HeartbeatOptions, Options, QueueOptions, ReconnectOptions } from "../options.js";
import type { RequestOptions, SendOptions } from "../sending.js";
import { isObject } from "./json.js";

/** The names that options may have; with a group, those of its members. */
interface Names {
  readonly [name: string]: Names | null;
}

/** Says on the console, once for each name, which of a client's options do not exist and what may be meant. For development builds. */
export function warnOfUnknownOptions(options: Options): void {
  warnOfUnknown(options, OPTIONS);
}

/** The same for the options of one message. */
export function warnOfUnknownMessageOptions(options: SendOptions | RequestOptions, isRequest: boolean): void {
  warnOfUnknown(options, isRequest ? REQUEST_OPTIONS : SEND_OPTIONS);
}

function warnOfUnknown(given: object, known: Names, group = ""): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) warn(known, group, name);
    else if (known[name] && isObject(value)) warnOfUnknown(value, known[name], `${name}.`);
  }
}

function warn(known: Names, group: string, name: string): void {
  const path = group + name;
  if (warned.has(path) || warned.size >= MOST_WARNINGS) return;
  warned.add(path);
  const isMessages = known === SEND_OPTIONS || known === REQUEST_OPTIONS;
  const meant = isMessages ? nearest(name, Object.keys(known)) : meantOption(group, name);
  const hint = meant ? `did you mean \`${meant}\`?` : "it has no effect";
  console.warn(`everwire: there is no option \`${path}\`${isMessages ? " of a message" : ""}: ${hint}`);
}

function meantOption(group: string, name: string): string | undefined {
  const own = OPTIONS[group.slice(0, -1) as keyof typeof OPTIONS];
  const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined;
  const inGroup = own ? Object.keys(own).map((member) => group + member) : [];
  return nearest(name, inGroup) ?? elsewhere ?? nearest(name, paths(OPTIONS));
}

const paths = (names: Names): string[] =>
  Object.entries(names).flatMap(([name, members]) => [
    name,
    ...Object.keys(members ?? {}).map((member) => `${name}.${member}`),
  ]);

/** The path whose last name is most like the given one, if any is. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  const scored = candidates.map((path) => [unlikeness(name, path.slice(path.indexOf(".") + 1)), path] as const);
  const [best] = scored.sort(([a], [b]) => a - b);
  return best && best[0] <= Math.max(1, name.length / 4) ? best[1] : undefined;
}

function unlikeness(given: string, known: string): number {
  const [a, b] = [given.toLowerCase(), known.toLowerCase()];
  const isPart = a.length > 2 && b.includes(a);
  return isPart ? (b.length - a.length) / 100 : editDistance(a, b);
}

/** How many characters have to be inserted, deleted or replaced (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const warned = /* @__PURE__ */ new Set<string>();
const MOST_WARNINGS = 100;

// The compiler refuses these lists when an option is missing from them.

const SEND_OPTIONS = {
  volatile: null,
  ttlMs: null,
  coalesce: null,
  durable: null,
} satisfies { [Name in keyof Required<SendOptions>]: null };

const REQUEST_OPTIONS = { timeoutMs: null } satisfies { [Name in keyof Required<RequestOptions>]: null };

const OPTIONS = {
  url: null,
  path: null,
  protocols: null,
  token: null,
  tokenIn: null,
  tokenParam: null,
  authEvent: null,
  anonymous: null,
  reconnect: {
    initialDelayMs: null,
    maxDelayMs: null,
    factor: null,
    jitter: null,
    maxAttempts: null,
    stableAfterMs: null,
  } satisfies { [Name in keyof Required<ReconnectOptions>]: null },
  heartbeat: {
    intervalMs: null,
    timeoutMs: null,
    ping: null,
    pong: null,
  } satisfies { [Name in keyof Required<HeartbeatOptions>]: null },
  connectTimeoutMs: null,
  queue: {
    maxMessages: null,
    maxBytes: null,
    ttlMs: null,
    overflow: null,
  } satisfies { [Name in keyof Required<QueueOptions>]: null },
  maxMessageBytes: null,
  delivery: null,
  outbox: null,
  chat: null,
  buffer: { highBytes: null, lowBytes: null } satisfies { [Name in keyof Required<BufferOptions>]: null },
  sessions: null,
  schemas: null,
  WebSocket: null,
  logger: null,
} satisfies { [Name in keyof Required<Options>]: Names | null };

/** What other libraries call the same, where that is unlike. */
const ELSEWHERE: { readonly [name: string]: string | undefined } = {
  auth: "token",
  connectionTimeout: "connectTimeoutMs",
  heartbeatInterval: "heartbeat.intervalMs",
  maxEnqueuedMessages: "queue.maxMessages",
  maxReconnectAttempts: "reconnect.maxAttempts",
  maxReconnectionDelay: "reconnect.maxDelayMs",
  maxRetries: "reconnect.maxAttempts",
  minReconnectionDelay: "reconnect.initialDelayMs",
  minUptime: "reconnect.stableAfterMs",
  pingInterval: "heartbeat.intervalMs",
  pingTimeout: "heartbeat.timeoutMs",
  randomizationFactor: "reconnect.jitter",
  reconnectAttempts: "reconnect.maxAttempts",
  reconnectDelay: "reconnect.initialDelayMs",
  reconnectInterval: "reconnect.initialDelayMs",
  reconnectionAttempts: "reconnect.maxAttempts",
  reconnectionDelay: "reconnect.initialDelayMs",
  reconnectionDelayGrowFactor: "reconnect.factor",
  reconnectionDelayMax: "reconnect.maxDelayMs",
  retries: "reconnect.maxAttempts",
};
