import type { ServerConnection } from "./connection.js";
import {
  type MessageContext,
  type MessageHandler,
  type PublishOptions,
  type ReceivedMessage,
  Refusal,
  type RefusedMessage,
} from "./context.js";
import type { Author, Delivery } from "./delivery.js";
import { type Data, type Frame, isObject, isPosition, readFrame, type Sequence, utf8Length } from "./envelope.js";
import type { ClientRecord, Memory } from "./memory.js";
import type { Network } from "./network.js";
import { type Problems, shortened } from "./problem.js";
import type { Rooms } from "./rooms.js";

/** What there is around the intake. */
export interface Surroundings {
  readonly options: IntakeOptions;
  readonly network: Network;
  readonly problems: Problems;
  readonly delivery: Delivery;
  readonly rooms: Rooms;
  memory(): Memory;
  /** The handlers of a type, the one that comes first first. */
  handlers(type: string): readonly MessageHandler[];
  publish(room: string, type: string, data: Data, options: PublishOptions, author: Author): void;
  processed(message: ReceivedMessage): void;
  refused(message: RefusedMessage): void;
  note(connection: ServerConnection, text: string): void;
  delivered(): void;
}

/** The part of a server's options that is about frames. */
export interface IntakeOptions {
  readonly reliable?: boolean | undefined;
  readonly dialect?: unknown;
  readonly maxMessageBytes?: number | undefined;
  readonly window?: number | undefined;
  readonly heartbeat?: { readonly ping?: string | undefined; readonly pong?: string | undefined } | undefined;
}

/** How a message has ended. */
interface Outcome {
  readonly refusal: Refusal | undefined;
  readonly result: Data;
}

/** Takes the frames of clients, in order, and answers them (docs/PROTOCOL.md). */
export class Intake {
  readonly #around: Surroundings;
  readonly #isReliable: boolean;
  readonly #maxBytes: number;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#isReliable = around.options.reliable ?? true;
    this.#maxBytes = around.options.maxMessageBytes ?? 10_240;
  }

  /** Takes a frame. */
  take(connection: ServerConnection, data: unknown): void {
    if (!connection.isOpen) return;
    if (typeof data !== "string") {
      this.#around.problems.add(
        `the client of "${connection.user}" sent a binary frame, which no server of this protocol reads`,
      );
      connection.close(1003, "text only");
      return;
    }
    const frame = readFrame(data);
    if (this.#around.network.loses("client", frame.type)) return;
    this.#around.note(connection, data);
    if (frame.flaw) {
      this.#around.problems.add(
        `the client of "${connection.user}" sent a malformed frame, ${frame.flaw}: ${shortened(data)}`,
      );
    }
    // Nothing depends on its place, except that no pong may come before a welcome.
    const isWelcomed = !connection.isGreeting && connection.inbox.every((waiting) => waiting.frame.type !== "hello");
    if (this.#isPing(frame) && isWelcomed) this.#pong(connection);
    else if (connection.isBusy) connection.inbox.push({ frame, text: data });
    else this.#process(connection, frame, data);
  }

  #process(connection: ServerConnection, frame: Frame, text: string): void {
    const pending = this.#handle(connection, frame, text);
    if (pending === undefined) return;
    connection.isBusy = true;
    pending.then(() => {
      this.#around.delivered();
      connection.isBusy = false;
      while (!connection.isBusy && connection.isOpen) {
        const next = connection.inbox.shift();
        if (next === undefined) break;
        this.#process(connection, next.frame, next.text);
      }
    });
  }

  #handle(connection: ServerConnection, frame: Frame, text: string): Promise<void> | undefined {
    const { sequence } = frame;
    if (this.#isPing(frame)) this.#pong(connection);
    else if (sequence === null && frame.type === "hello") return this.#hello(connection, frame.data);
    else if (sequence === null) return this.#unnumbered(connection, frame, text);
    else if (!this.#isReliable) return this.#unnumbered(connection, { ...frame, sequence: null }, text);
    else if (sequence === "wrong") this.#violated(connection, "a `seq` or `prev` that is no such number");
    else return this.#numbered(connection, frame, sequence, text);
    return undefined;
  }

  #isPing({ type, sequence }: Frame): boolean {
    return type === (this.#around.options.heartbeat?.ping ?? "ping") && sequence === null;
  }

  #pong(connection: ServerConnection): void {
    connection.send(this.#around.options.heartbeat?.pong ?? "pong", { timestamp: new Date().toISOString() });
  }

  #hello(connection: ServerConnection, data: Data): Promise<void> | undefined {
    if (!this.#isReliable) return undefined;
    const { versions, client_id: id, streams = {} } = data;
    const isWellFormed =
      Array.isArray(versions) &&
      versions.every(Number.isSafeInteger) &&
      typeof id === "string" &&
      /^[\w-]{16,64}$/.test(id) &&
      isObject(streams) &&
      Object.keys(streams).length <= MAX_STREAMS &&
      Object.values(streams).every(isPosition);
    if (!isWellFormed || !versions.includes(1)) {
      const code = isWellFormed ? "unsupported_version" : "malformed";
      connection.send("error", { message: `this \`hello\` is ${code}`, code, about: "hello" });
      return undefined;
    }
    if (id === connection.clientId) {
      this.#violated(connection, "a second `hello` with the same client id");
      return undefined;
    }
    const record = this.#around.memory().client(connection.user, id);
    const welcome = () => {
      if (!connection.isOpen) return;
      const former = record.owner as ServerConnection | undefined;
      record.owner = connection;
      if (former !== connection) former?.close(4410, "this client id is used by another connection");
      connection.clientId = id;
      connection.greetedAt = Date.now();
      const positions = this.#around.delivery.carry(connection, record, streams);
      connection.send("welcome", {
        version: 1,
        epoch: this.#around.memory().epoch,
        last: record.last,
        window: this.#around.options.window ?? 128,
        max_bytes: this.#maxBytes,
        remember_ms: REMEMBERED_MS,
        streams: positions,
      });
      this.#around.delivery.catchUp(connection);
    };
    if (record.busy === undefined) {
      welcome();
      return undefined;
    }
    connection.isGreeting = true;
    return record.busy.then(() => {
      connection.isGreeting = false;
      welcome();
    });
  }

  #unnumbered(connection: ServerConnection, frame: Frame, text: string): Promise<void> | undefined {
    if (utf8Length(text) > this.#maxBytes) {
      connection.close(1009, "the message is too large");
      return undefined;
    }
    return after(this.#perform(connection, frame, null, text), ({ refusal }) => {
      if (refusal) connection.send("error", { ...refusalData(refusal, frame), ...namesIn(frame.data) });
    });
  }

  #numbered(connection: ServerConnection, frame: Frame, sequence: Sequence, text: string): Promise<void> | undefined {
    const { user, clientId } = connection;
    if (clientId === null) {
      this.#violated(connection, "a `seq` before `hello`");
      return undefined;
    }
    const record = this.#around.memory().client(user, clientId);
    const { seq, prev, isRequest } = sequence;
    const acknowledge = () => connection.send("ack", { seq: record.last });
    if (record.owner !== connection) connection.close(4410, "this client id is used by another connection");
    else if (seq <= record.last) acknowledge();
    else if (prev > record.last) connection.close(4409, "a message is missing");
    else if (prev < record.last) this.#violated(connection, "a `prev` that has been overtaken");
    else {
      const pending = after(this.#perform(connection, frame, sequence, text), ({ refusal, result }) => {
        const answer = refusal ? { ...refusalData(refusal, frame), seq } : { seq, result };
        const type = refusal ? "error" : "reply";
        record.last = seq;
        if (isRequest) this.#around.delivery.toClient(user, clientId, type, answer);
        else if (refusal) connection.send(type, answer);
        acknowledge();
      });
      return (
        pending &&
        this.#holding(record, pending, () => {
          acknowledge();
          return connection.isOpen;
        })
      );
    }
    return undefined;
  }

  /** While a message is held back, its client is told that the server lives. */
  #holding(record: ClientRecord, pending: Promise<void>, acknowledge: () => boolean): Promise<void> {
    const repeat = setInterval(() => {
      if (!acknowledge()) clearInterval(repeat);
    }, REPEATED_ACK_MS);
    record.busy = pending.then(() => {
      clearInterval(repeat);
      record.busy = undefined;
    });
    return record.busy;
  }

  #violated(connection: ServerConnection, how: string): void {
    this.#around.problems.add(`the client of "${connection.user}" broke the rules of the reliable mode: ${how}`);
    connection.close(4400, how);
  }

  #perform(
    connection: ServerConnection,
    frame: Frame,
    sequence: Sequence | null,
    text: string,
  ): Outcome | Promise<Outcome> {
    const { type = "", data } = frame;
    const { user } = connection;
    const message: ReceivedMessage = { type, data, user, connection, seq: sequence?.seq ?? null, at: Date.now() };
    const refuse = (refusal: Refusal): Outcome => {
      this.#around.refused({ ...message, code: refusal.code });
      return { refusal, result: {} };
    };
    const fail = (cause: unknown): Outcome => {
      if (cause instanceof Refusal) return refuse(cause);
      this.#around.problems.add(
        `the handler of \`${type}\` threw: ${cause instanceof Error ? cause.message : cause}`,
        cause,
      );
      return refuse(new Refusal("internal", "the handler failed"));
    };
    const slack = sequence === null ? 0 : SEQUENCE_BYTES;
    if (utf8Length(text) > this.#maxBytes + slack) return refuse(new Refusal("too_large", "the message is too large"));
    if (frame.flaw) return refuse(new Refusal("malformed", `the message is malformed: ${frame.flaw}`));
    const planned = this.#around.network.refuses(frame);
    if (planned) return refuse(new Refusal(planned.code, planned.message));

    let replied: Data | undefined;
    const succeed = (returned: unknown): Outcome => {
      const result = replied ?? (isObject(returned) ? returned : {});
      if (sequence?.isRequest) JSON.stringify(result); // throws for what no client could be told
      this.#around.processed(message);
      return { refusal: undefined, result };
    };
    const author: Author = { connection, seq: sequence?.seq ?? null };
    const isNumbered = sequence !== null;
    const context: Omit<MessageContext, "next"> = {
      ...message,
      isRequest: sequence?.isRequest ?? false,
      reply: (result) => {
        replied = result;
      },
      refuse: (code, words) => {
        throw new Refusal(code, words);
      },
      send: (event, payload) => connection.send(event, payload),
      publish: (room, event, payload = {}, options = {}) => this.#around.publish(room, event, payload, options, author),
      join: (room) => this.#around.rooms.join(connection, room),
      leave: (room) => this.#around.rooms.leave(connection, room),
      isMember: (room) => this.#around.rooms.isMember(user, room, isNumbered),
    };
    const handlers = this.#around.handlers(type);
    const call = (at: number): unknown => {
      const handler = handlers[at];
      if (handler) return handler(data, { ...context, next: () => call(at + 1) });
      if (at > 0 || this.#around.options.dialect === undefined) return undefined;
      throw new Refusal("unknown_type", `unknown type \`${type}\``);
    };
    try {
      const returned = call(0);
      return isThenable(returned) ? Promise.resolve(returned).then(succeed).catch(fail) : succeed(returned);
    } catch (cause) {
      return fail(cause);
    }
  }
}

/** Goes on with an outcome, at once if it is there. */
function after(outcome: Outcome | Promise<Outcome>, act: (outcome: Outcome) => void): Promise<void> | undefined {
  if (outcome instanceof Promise) return outcome.then(act);
  act(outcome);
  return undefined;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";

/** What was not read in full has no `about`. */
const refusalData = ({ message, code }: Refusal, { type, flaw }: Frame): Data => ({
  message,
  code,
  ...(!flaw && code !== "too_large" && { about: type }),
});

/** What a message without a number has named, for the `error` about it (docs/PROTOCOL.md, errors). */
function namesIn({ session_id, match_id, message, client_id }: Data): Data {
  const message_id = (isObject(message) ? message["id"] : undefined) ?? client_id;
  const isName = (value: unknown): boolean => typeof value === "string" && utf8Length(value) <= LONGEST_NAME;
  return Object.fromEntries(Object.entries({ session_id, match_id, message_id }).filter(([, value]) => isName(value)));
}

const LONGEST_NAME = 128;
/** Most positions in a `hello`. */
const MAX_STREAMS = 256;
/** How long the server says that it remembers clients. */
const REMEMBERED_MS = 7 * 24 * 60 * 60 * 1_000;
/** How often a client that waits for its acknowledgement is told that the server lives. */
const REPEATED_ACK_MS = 3_000;
/** What `seq` and `prev` take on top of the size of a message. */
const SEQUENCE_BYTES = 47;
