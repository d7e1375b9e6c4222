import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "socket.io";
import { isConflict, type Sql, TransactionLost, takesNothing } from "./database.js";
import { Effects } from "./effects.js";
import { eventOf } from "./event.js";
import { type Data, type Handler, Refusal } from "./everwire.js";
import { type Memory, REMEMBER_MS } from "./memory.js";
import { report } from "./report.js";

/** An envelope as it comes: nothing of it is known. */
export type Frame = { readonly [Field in "type" | "data" | "seq" | "prev" | "request"]?: unknown } | null | undefined;

/** What the connections of a server share. */
interface Shared {
  readonly memory: Memory;
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly handlerTimeoutMs: number;
  /** The connections of a user. */
  of(user: string): Iterable<Connection>;
  /** Sends these users what is stored for them. */
  wake(...users: string[]): void;
}

/** The reliable mode on one socket: frames come in by `arrived`, and stored events go out when somebody calls `wake`. */
export class Connection {
  clientId = "";
  readonly #owner = randomUUID();
  readonly #positions = new Map<string, number>();
  #waiting = 0;
  #work: Promise<void> = Promise.resolve();
  #isSending = false;
  #isWoken = false;
  /** Whether the close code is said: nothing follows it. */
  #isEnded = false;

  constructor(
    readonly socket: Socket,
    readonly user: string,
    readonly shared: Shared,
  ) {}

  /** Frames take effect in their order. A client that has more than two windows under way is cut off. */
  arrived(frame: Frame): void {
    if (++this.#waiting > 2 * WINDOW) {
      this.end(BROKEN_RULES);
      return;
    }
    const isHello = frame?.type === "hello" && frame.seq === undefined;
    const patience = isHello ? setTimeout(() => this.end(BUSY), HELLO_WAITS_MS).unref() : undefined;
    const failed = (error: unknown) => {
      report("what a message asked for", error);
      // A client takes 1011 for an answer to the message, and drops the one that gets it again and again.
      this.end(takesNothing(error) ? BUSY : FAILED);
    };
    const taken = this.#work.then(() => this.#take(frame ?? {})).catch(failed);
    this.#work = taken.then(() => {
      clearTimeout(patience);
      this.#waiting--;
    });
  }

  /** Closes the connection. Socket.IO has no close codes, so the code is said before. One that this socket has left may still carry other namespaces. */
  end(code: number): void {
    if (this.#isGone) return;
    this.socket.emit("everwire_close", code);
    this.#isEnded = true;
    this.socket.conn.close();
  }

  get #isGone(): boolean {
    return this.#isEnded || !this.socket.connected;
  }

  /** Sends what is stored behind its positions, and again if something is stored meanwhile. What is not sent yet stays in the database. */
  async wake(): Promise<void> {
    this.#isWoken = true;
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#isWoken && !this.#isGone) {
      this.#isWoken = false;
      for (const stream of this.#positions.keys()) await this.#sendPage(stream).catch(() => this.end(FAILED));
    }
    this.#isSending = false;
  }

  async #sendPage(stream: string): Promise<void> {
    const position = this.#positions.get(stream) ?? 0;
    let next = position + 1;
    for (const { offset, frame } of await this.shared.memory.behind(this.user, stream, position)) {
      // History is bounded: what was before this one is gone.
      if (offset > next) this.#say("stream", { stream, offset: offset - 1 });
      this.#emit({ ...frame, stream, offset, prev: offset - 1 });
      this.#positions.set(stream, offset);
      next = offset + 1;
      this.#isWoken = true;
    }
    const { conn } = this.socket;
    // Engine.IO's types hide what its documentation names.
    const { writeBuffer } = conn as unknown as { readonly writeBuffer: readonly unknown[] };
    if (writeBuffer.length === 0) return;
    const settled = new AbortController();
    await Promise.race(["drain", "close"].map((event) => once(conn, event, settled)));
    settled.abort();
  }

  async #take({ type, data = {}, seq, prev, request }: NonNullable<Frame>): Promise<void> {
    // What has no answer yet comes again, on the next connection.
    if (this.#isEnded) return;
    const isEnvelope = typeof type === "string" && isObject(data);
    if (seq !== undefined) {
      const before = prev === undefined && isNumber(seq) ? seq - 1 : prev;
      if (!this.clientId || !isNumber(seq) || !(before === 0 || isNumber(before)) || before >= seq)
        return this.end(BROKEN_RULES);
      // What makes no sense is refused like any other message, and counts as processed.
      return this.#takeNumbered(isEnvelope ? type : undefined, isEnvelope ? data : {}, seq, before, request === true);
    }
    if (!isEnvelope) return this.#say("error", { code: "malformed", message: "no envelope" });
    if (type === "hello") return this.#hello(data);
    if (type === "ping") return this.#say("pong", { timestamp: new Date().toISOString() });
    await this.#transact((sql, lost) => this.#handle(sql, lost, type, data));
  }

  async #takeNumbered(
    type: string | undefined,
    data: Data,
    seq: number,
    prev: number,
    isRequest: boolean,
  ): Promise<void> {
    const { memory } = this.shared;
    await this.#transact(async (sql, lost) => {
      const stands = await memory.take(sql, this.user, this.clientId, this.#owner, prev, seq);
      if (!stands) return this.#handle(sql, lost, type, data, seq, isRequest);
      if (!stands.isOwner) return () => this.end(REPLACED);
      if (seq <= stands.last) return () => this.#acknowledge(stands.last);
      return () => this.end(prev > stands.last ? MISSING : BROKEN_RULES);
    });
  }

  /** Does a message in a transaction, and what follows once that is committed. A message that loses the transaction is refused in another. */
  async #transact(work: (sql: Sql, lost: TransactionLost | undefined) => Promise<() => void>): Promise<void> {
    const { memory } = this.shared;
    const settle = await memory
      .transaction((sql) => work(sql, undefined))
      .catch((error) => {
        if (!(error instanceof TransactionLost)) throw error;
        return memory.transaction((sql) => work(sql, error));
      });
    settle();
  }

  /** Runs a handler, whose effects are undone if it refuses, or refuses what has lost a transaction. What it returns is to be done once the transaction is committed. */
  async #handle(
    sql: Sql,
    lost: TransactionLost | undefined,
    type: string | undefined,
    data: Data,
    seq?: number,
    isRequest = false,
  ): Promise<() => void> {
    const { memory, handlerTimeoutMs, wake } = this.shared;
    const { user, socket } = this;
    const effects = new Effects(sql, memory);
    const { publish, afterCommit } = effects;
    const tell = (event: string, payload: object) => {
      const frame = eventOf(event, payload);
      afterCommit(() => this.#emit(frame));
    };
    const answer = (event: string, payload: object) =>
      memory.store(sql, user, `client:${this.clientId}`, { type: event, data: payload });
    let refused = (): void => {};
    await sql("SAVEPOINT everwire");
    try {
      if (lost) throw lost;
      const handler = this.#handlerOf(type);
      const context = { user, socket, sql: effects.sql, seq, isRequest, publish, tell, afterCommit };
      const run = async () => {
        const result = await handler(context, data);
        await effects.settled();
        return result;
      };
      const result = await inTime(run(), handlerTimeoutMs);
      await effects.end();
      if (isRequest) await answer("reply", { seq, result: resultOf(result) });
      // On PostgreSQL a statement that has failed ends the transaction, also where the handler has gone on: it shows here.
      await sql("RELEASE SAVEPOINT everwire");
    } catch (error) {
      await effects.end();
      if (isConflict(error) || takesNothing(error)) throw error;
      await sql("ROLLBACK TO SAVEPOINT everwire");
      effects.forget();
      if (!(error instanceof Refusal)) report(`a handler of ${JSON.stringify(type)}`, error);
      const { code, message } = error instanceof Refusal ? error : new Refusal("internal", "the server has failed");
      const refusal = { code, message, ...(type !== undefined && { about: type }), seq };
      if (isRequest) await answer("error", refusal);
      else refused = () => this.#say("error", refusal);
    }
    return () => {
      effects.committed();
      refused();
      if (seq !== undefined) this.#acknowledge(seq);
      wake(user, ...effects.users);
    };
  }

  #handlerOf(type: string | undefined): Handler {
    if (type === undefined) throw new Refusal("malformed", "no envelope");
    const { handlers } = this.shared;
    const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
    if (!handler) throw new Refusal("unknown_type", "nothing is done for this type");
    return handler;
  }

  async #hello({ versions, client_id: clientId, streams = {} }: Data): Promise<void> {
    const refuse = (code: string, message: string) => this.#say("error", { code, message, about: "hello" });
    const isWell = Array.isArray(versions) && isClientId(clientId) && isObject(streams);
    if (!isWell || !Object.values(streams).every((at) => at === 0 || isNumber(at)))
      return refuse("malformed", "no hello");
    if (!versions.includes(1)) return refuse("unsupported_version", "this server speaks version 1");
    if (clientId === this.clientId) return this.end(BROKEN_RULES);
    const positionOf = (name: string) => this.#positions.get(name) ?? (streams[name] as number | undefined);
    const wanted = new Map(["user", `client:${clientId}`].map((name) => [name, positionOf(name)]));
    const { memory, of } = this.shared;
    const epoch = await memory.epoch();
    const welcome = await memory.hello(this.user, clientId, this.#owner, wanted, () => !this.#isGone);
    if (!welcome || this.#isGone) return;
    const { last, positions } = welcome;
    for (const other of of(this.user)) if (other !== this && other.clientId === clientId) other.end(REPLACED);
    this.clientId = clientId;
    for (const [stream, position] of positions) {
      // What the connection has already may have gone on meanwhile.
      if (!this.#positions.has(stream)) this.#positions.set(stream, position);
    }
    const limits = { window: WINDOW, max_bytes: this.#maxBytes, remember_ms: REMEMBER_MS };
    this.#say("welcome", { version: 1, epoch, last, ...limits, streams: Object.fromEntries(this.#positions) });
    void this.wake();
  }

  /** The largest message whose packet Engine.IO takes; over a larger one it ends the connection. */
  get #maxBytes(): number | undefined {
    const { nsp, conn } = this.socket;
    // Engine.IO's types hide its options.
    const { server } = conn as unknown as {
      readonly server: { readonly opts: { readonly maxHttpBufferSize: number } };
    };
    const head = `42${nsp.name === "/" ? "" : `${nsp.name},`}["everwire",]`;
    const largest = server.opts.maxHttpBufferSize - Buffer.byteLength(head) - NUMBERS_BYTES;
    return isNumber(largest) ? largest : undefined;
  }

  #acknowledge(seq: number): void {
    this.#say("ack", { seq });
  }

  #say(type: string, data: object): void {
    this.#emit({ type, data });
  }

  #emit(frame: object): void {
    if (!this.#isEnded) this.socket.emit("everwire", frame);
  }
}

const isObject = (value: unknown): value is Data =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;
const isClientId = (value: unknown): value is string => typeof value === "string" && /^[\w-]{16,64}$/.test(value);

/** Waits for a handler, but not for ever: on SQLite everybody else waits for it too. */
async function inTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the handler takes too long")), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function resultOf(result: unknown): Data {
  if (result != null && !isObject(result)) throw new RangeError("the result of a handler is an object, or none");
  return result ?? {};
}

/** How many messages of a client may be unacknowledged. */
const WINDOW = 128;

/** What `seq` and `prev` take at most, beside the size of a message. */
const NUMBERS_BYTES = 47;

/** A client that has no welcome after 10 s ends the connection, and after two of those takes the server for one without the reliable mode. */
const HELLO_WAITS_MS = 5_000;

// The close codes of the protocol.
const FAILED = 1011;
const BUSY = 1013;
const BROKEN_RULES = 4400;
const MISSING = 4409;
const REPLACED = 4410;
