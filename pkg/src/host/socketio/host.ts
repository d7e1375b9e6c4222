import type { Core, Happening } from "../../../wasm-socketio/everwire.js";
import type { DropName, FailureName, OverflowName } from "../../codes.js";
import { type EverwireError, error } from "../../errors.js";
import type { Options } from "../../options.js";
import type { CloseInfo, Snapshot } from "../../snapshot.js";
import type { Auth } from "../../socketio/types.js";
import type { CoreHost } from "../contract.js";
import { attempt, Listeners } from "../handlers.js";
import { byteLength } from "../json.js";
import { numericOption } from "../options.js";
import { isOffline, pageWatch } from "../page.js";
import { closeInfo, type RawSnapshot } from "../snapshot.js";
import { REFUSAL_TEXTS } from "../words.js";
import type { Attachment, EncodedArguments } from "./arguments.js";
import type { ContinuityName } from "./codes.js";
import type { Connection } from "./connection.js";
import type { PacketHost } from "./contract.js";
import { withAttachments } from "./packets.js";

/** What a client of a Socket.IO server is told, in order, with nothing borrowed. */
export interface Member {
  /** What to authenticate by, for an attempt that begins now. */
  auth(): Auth | undefined;
  attempting(attempt: number): void;
  joined(sid: string, continuity: ContinuityName): void;
  /** Before {@link closed}: the server does not let the client in, in its words. */
  keptOut(reason: unknown): void;
  /** Before {@link closed}: the server does not want the client any more. */
  putOut(): void;
  closed(close: CloseInfo): void;
  gaveUp(): void;
  /** `acknowledge` is there if the server wants an answer. */
  event(args: unknown[], acknowledge: ((args: EncodedArguments) => void) | undefined): void;
  dropped(args: unknown[], reason: DropName): void;
  failed(cause: EverwireError): void;
}

/** What becomes of an acknowledgement: its arguments, or why there are none. */
export type Acknowledged = (failure: EverwireError | null, args: unknown[]) => void;

/** What a client of a Socket.IO server has in JavaScript beside the {@link Member}: its alarms, its place on a connection, and what it waits for. */
export class Host implements Pick<CoreHost, SharedMethods>, PacketHost {
  /** `undefined` before the client is made. */
  core: Core | undefined;
  /** Where to connect. */
  endpoint = "";
  /** Shown by whoever makes the core, as soon as there is one. */
  snapshot!: Snapshot;
  readonly isReliable = false;
  readonly clientId = "";
  readonly overflow: OverflowName;
  readonly namespace: string;
  readonly listeners: Listeners = new Listeners();
  readonly #options: Options;
  readonly #member: Member;
  readonly #carry: (host: Host) => Connection | undefined;
  #connection: Connection | undefined;
  readonly #watchPage = pageWatch((event) => {
    this.#handle(event);
    // What is sent now would be lost, and the sockets of a network that is gone do not come back.
    if (event === "offline") this.#connection?.socketClosed(1006, "offline", false);
    this.#connection?.probe();
  });
  readonly #attachments = new Map<number, readonly Attachment[]>();
  readonly #acknowledged = new Map<number, Acknowledged>();
  /** The attachments of the event that is being sent. */
  #sending: readonly Attachment[] = [];
  /** What came for the event or the acknowledgement that is about to be told. */
  #attached: ArrayBuffer[] = [];
  /** The attempt that waits for the application: it may have disconnected meanwhile. */
  #attempt: object | undefined;
  #auth: object | undefined;
  /** Changes each time the client comes into its namespace or out of it. */
  #visit: object = {};
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #ackAlarm: ReturnType<typeof setTimeout> | undefined;
  /** What is to be told first. */
  #next: (() => void) | undefined;
  /** What is to be told behind it. */
  readonly #events: (() => void)[] = [];
  #isDelivering = false;

  /** `carry` finds or makes a connection; `undefined` if the browser makes none. */
  constructor(member: Member, namespace: string, options: Options, carry: (host: Host) => Connection | undefined) {
    this.#member = member;
    this.namespace = namespace;
    this.#options = options;
    this.overflow = options.queue?.overflow ?? "reject";
    this.#carry = carry;
  }

  numericOption(index: number): number | undefined {
    return numericOption(this.#options, index);
  }

  isOffline(): boolean {
    return isOffline();
  }

  openSocket(): void {
    const current = {};
    this.#attempt = current;
    const isAwaited = () => current === this.#attempt;
    // What the core has shown before is about the last attempt.
    this.#member.attempting(this.core?.snapshot().attempt ?? 0);
    const failed = (cause: EverwireError) => {
      if (!isAwaited()) return;
      this.#later(() => this.#member.failed(cause));
      this.#handle("token_failed");
    };
    const settled = (data: object | undefined) => {
      if (!isAwaited()) return;
      try {
        JSON.stringify(data);
      } catch (cause) {
        return failed(error("unserialisable", "`auth` cannot be written as JSON (see `cause`)", cause));
      }
      this.#attempt = undefined;
      this.#auth = data;
      this.#connection = this.#carry(this);
      if (this.#connection) this.#connection.join(this);
      else this.#handle("socket_refused");
    };
    const threw = (cause: unknown) => failed(error("token_failed", "`auth` failed (see `cause`)", cause));
    try {
      const auth = this.#member.auth();
      // An async function that fails says so by its promise alone.
      if (typeof auth === "function") Promise.resolve(auth(settled)).catch(threw);
      else settled(auth);
    } catch (cause) {
      threw(cause);
    }
  }

  auth(pid: string | undefined, offset: string | undefined): string | undefined {
    const claim = pid === undefined ? this.#auth : { pid, offset, ...this.#auth };
    return claim && JSON.stringify(claim);
  }

  send(text: string): number | undefined {
    return this.#connection?.send(text);
  }

  sendAttachments(seq: number): number | undefined {
    // Those that are being sent have no number yet.
    return this.#sendAll(this.#attachments.get(seq) ?? this.#sending);
  }

  buffered(): number {
    return this.#connection?.buffered ?? 0;
  }

  closeSocket(): void {
    const left = this.#connection;
    if (left?.close(this)) return;
    this.#connection = undefined;
    // Other clients keep the connection, so nothing else will tell of this one's end.
    queueMicrotask(() => {
      if (left && !this.#connection && !this.#attempt) this.socketClosed(1000, "", true);
    });
  }

  abandonSocket(): void {
    this.#attempt = undefined;
    this.#connection?.abandon(this);
    this.#connection = undefined;
  }

  setAlarm(delayMs: number | undefined): void {
    clearTimeout(this.#alarm);
    if (delayMs !== undefined) this.#alarm = setTimeout(() => this.#handle("timeout"), delayMs);
  }

  setAckAlarm(delayMs: number | undefined): void {
    clearTimeout(this.#ackAlarm);
    if (delayMs !== undefined) this.#ackAlarm = setTimeout(() => this.#handle("timeout"), delayMs);
  }

  watchPage(isWatched: boolean): void {
    this.#watchPage(isWatched);
  }

  socketClosed(code: number, reason: string, wasClean: boolean): void {
    this.#connection = undefined;
    this.core?.socketClosed(this, code, reason, wasClean);
  }

  joined(sid: string, continuity: ContinuityName): void {
    this.#visit = {};
    this.#later(() => this.#member.joined(sid, continuity));
  }

  keptOut(reason: unknown): void {
    this.#connection?.refuse(this);
    this.#later(() => this.#member.keptOut(reason));
  }

  putOut(): void {
    this.#later(() => this.#member.putOut());
  }

  attach(attachment: ArrayBuffer): void {
    this.#attached.push(attachment);
  }

  event(id: number | undefined, args: unknown[]): void {
    this.#takeAttached(args);
    const acknowledge = id === undefined ? undefined : this.#acknowledger(id);
    this.#later(() => this.#member.event(args, acknowledge));
  }

  eventAcknowledged(seq: number, args: unknown[]): void {
    this.#takeAttached(args);
    this.#settle(seq, null, args);
  }

  eventUnacknowledged(seq: number, failure: FailureName): void {
    const settle = () => this.#settle(seq, error(failure, ACK_FAILURES[failure]));
    if (failure === "abandoned") {
      // That the client is out of its namespace is told first.
      queueMicrotask(() => {
        settle();
        this.deliver();
      });
    } else settle();
  }

  opened(): void {}

  closed(...close: Parameters<CoreHost["closed"]>): void {
    this.#visit = {};
    this.#later(() => this.#member.closed(closeInfo(...close)));
  }

  reconnecting(): void {}

  gaveUp(): void {
    this.#later(() => this.#member.gaveUp());
  }

  transmitted(seq: number): void {
    this.#attachments.delete(seq);
  }

  dropped(frame: string, reason: DropName, _: string | undefined, seq: number): void {
    // A volatile event: `emit` says so itself.
    if (reason === "not_open") return;
    const args = withAttachments(JSON.parse(frame), this.#attachments.get(seq) ?? []);
    this.#attachments.delete(seq);
    this.#settle(seq, error(reason === "outcome_unknown" ? "unconfirmed" : reason, `the event was dropped: ${reason}`));
    this.#later(() => this.#member.dropped(args, reason));
  }

  changed(raw: RawSnapshot): void {
    this.show(raw);
    this.#later(() => this.listeners.call());
  }

  /** Makes the snapshot what the core sees. */
  show(raw: RawSnapshot): void {
    const { phase } = raw;
    raw.state = phase === "connecting" || phase === "open" || phase === "closing" ? phase : "closed";
    this.snapshot = raw;
  }

  /** Tells what happened in order, also what handlers cause. */
  deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let next = this.#next; next; next = this.#next) {
      this.#next = this.#events.shift();
      attempt(next);
    }
    this.#isDelivering = false;
  }

  /**
   * Sends an event, or queues it. With `acknowledged`, the server is asked for an acknowledgement, for which it has `ackMs`. Throws an error that says why it is neither sent nor queued.
   */
  emit(
    encoded: EncodedArguments,
    bytes: number,
    isVolatile: boolean,
    ackMs = Infinity,
    acknowledged?: Acknowledged,
  ): void {
    const { text, attachments } = encoded;
    const core = this.core as Core;
    const wasDelivering = this.#isDelivering;
    this.#isDelivering = true;
    this.#sending = attachments;
    try {
      const outcome = core.emit(this, text, bytes, attachments.length, isVolatile, acknowledged && ackMs);
      if (outcome !== "sent" && outcome !== "queued") {
        const sizes = outcome === "too_large" ? `: ${bytes} bytes of ${core.maxBytes()}` : "";
        throw error(outcome, (outcome === "queue_full" ? TOO_MANY : REFUSAL_TEXTS[outcome]) + sizes);
      }
      if (!acknowledged && !attachments.length) return;
      const seq = core.latestSeq();
      if (outcome === "queued" && attachments.length) this.#attachments.set(seq, attachments);
      if (acknowledged) this.#acknowledged.set(seq, acknowledged);
    } finally {
      this.#sending = [];
      this.#isDelivering = wasDelivering;
      this.deliver();
    }
  }

  /** What sends the acknowledgement of an event of the server. */
  #acknowledger(id: number): (args: EncodedArguments) => void {
    const visit = this.#visit;
    return ({ text, attachments }) => {
      // The id means nothing to another connection.
      const frame = visit === this.#visit && this.core?.ack(id, text, attachments.length);
      if (!frame) return;
      // The server would end the connection over it.
      if (byteLength(frame) > (this.core?.maxBytes() ?? 0)) this.#member.failed(error("too_large", TOO_LARGE_ACK));
      else if (this.send(frame) !== undefined) this.#sendAll(attachments);
    };
  }

  #sendAll(attachments: readonly Attachment[]): number | undefined {
    let buffered: number | undefined = 0;
    for (const attachment of attachments) {
      buffered = this.#connection?.send(attachment);
      if (buffered === undefined) break;
    }
    return buffered;
  }

  #takeAttached(args: unknown[]): void {
    if (!this.#attached.length) return;
    withAttachments(args, this.#attached);
    this.#attached = [];
  }

  #settle(seq: number, failure: EverwireError | null, args: unknown[] = []): void {
    this.#later(() => {
      const acknowledged = this.#acknowledged.get(seq);
      this.#acknowledged.delete(seq);
      acknowledged?.(failure, args);
    });
  }

  #handle(happening: Happening): void {
    this.core?.handle(this, happening);
  }

  #later(tell: () => void): void {
    if (this.#next) this.#events.push(tell);
    else this.#next = tell;
  }
}

const TOO_LARGE_ACK = "an acknowledgement is larger than the server takes";

const TOO_MANY = "too many events wait, to be sent or to be acknowledged";

const ACK_FAILURES: Record<FailureName, string> = {
  timed_out: "operation has timed out",
  abandoned: "socket has been disconnected",
};

type SharedMethods = Exclude<
  keyof CoreHost,
  "ping" | "acknowledged" | "refused" | "replied" | "receipt" | "requestFailed" | "gap" | "violation"
>;
