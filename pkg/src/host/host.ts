import type { Core, Happening } from "../../wasm/everwire.js";
import type { DropName, ProtocolViolation } from "../codes.js";
import type { Envelope } from "../envelope.js";
import { type EverwireError, error } from "../errors.js";
import type { Message } from "../message.js";
import type { Options } from "../options.js";
import type { Outbox } from "../outbox.js";
import type { Snapshot } from "../snapshot.js";
import type { CoreHost } from "./contract.js";
import { encode } from "./encode.js";
import { flawOf, parse } from "./frame.js";
import { attempt, Handlers, Listeners } from "./handlers.js";
import { isReliable, numericOption } from "./options.js";
import { Outcomes } from "./outcomes.js";
import { isOffline, pageWatch } from "./page.js";
import { randomNumbers, webSocketClass } from "./platform.js";
import { closeInfo, type RawSnapshot } from "./snapshot.js";
import { Socket, type SocketListener } from "./socket.js";
import { askForToken, openingWith } from "./token.js";
import { warnOfUnheardInvalid } from "./unheardInvalid.js";
import { FAILURE_TEXTS, UNFIT_TOKEN } from "./words.js";

/**
 * What a client has in JavaScript: its socket, its alarm, its handlers, and the handles of its messages. The core calls it, and it calls the core.
 *
 * While a client is active, its socket, its alarm or the page holds it; an idle one is held by nothing but the application.
 */
export class Host implements CoreHost, SocketListener {
  readonly options: Options;
  readonly isReliable: boolean;
  /** 128 bits that name one sender of the reliable mode. */
  readonly clientId: string = randomNumbers(2).join("-");
  readonly handlers: Handlers = new Handlers();
  readonly listeners: Listeners = new Listeners();
  readonly isOffline: CoreHost["isOffline"] = isOffline;
  readonly outcomes: Outcomes = new Outcomes();
  /** `undefined` before the client is made, and once it is disposed of. */
  core: Core | undefined;
  outbox: Outbox | undefined;
  /** Where to connect. */
  endpoint = "";
  /** Shown by whoever makes the core, as soon as there is one. */
  snapshot!: Snapshot;
  readonly #token: Options["token"];
  readonly #socket = new Socket(this);
  readonly watchPage: CoreHost["watchPage"] = pageWatch((event) => this.#handle(event));
  /** The attempt whose token is asked for: the application may have disconnected when it comes. */
  #attempt: object | undefined;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  /** When the alarm goes off, by `Date.now()`, which is cheap. Where the system's clock is set, frames notice a deadline early or late; the timer itself stays right. */
  #dueAt = Infinity;
  #error: EverwireError | null = null;
  /** What happened and is not told yet. */
  #events: (() => void)[] = [];
  #isDelivering = false;

  constructor(options: Options, token: Options["token"]) {
    this.options = options;
    this.isReliable = isReliable(options);
    this.#token = token;
    this.outbox = options.outbox;
  }

  get overflow(): CoreHost["overflow"] {
    return this.options.queue?.overflow ?? "reject";
  }

  numericOption(index: number): number | undefined {
    return numericOption(this.options, index);
  }

  openSocket(refused: boolean): void {
    const current = {};
    this.#attempt = current;
    const isAwaited = () => current === this.#attempt;
    const failed = (cause: EverwireError) => {
      if (!isAwaited()) return;
      this.#later(() => this.fail(cause));
      this.#handle("token_failed");
    };
    askForToken(
      this.#token,
      refused,
      (token) => {
        if (!isAwaited()) return;
        const { options } = this;
        const opening = openingWith(token, this.endpoint, options);
        if (!token && options.token !== undefined && !options.anonymous) this.#handle("token_absent");
        else if (!opening) failed(error("token_failed", UNFIT_TOKEN));
        else if (!this.#socket.open(webSocketClass(options), ...opening)) this.#handle("socket_refused");
      },
      failed,
    );
  }

  send(text: string): number | undefined {
    return this.#socket.send(text);
  }

  ping(): void {
    this.#socket.send(encode(this.options.heartbeat?.ping ?? "ping", undefined, false, this.isReliable));
  }

  buffered(): number {
    return this.#socket.buffered;
  }

  closeSocket(): void {
    this.#socket.close();
  }

  abandonSocket(): void {
    this.#attempt = undefined;
    this.#socket.abandon();
  }

  setAlarm(delayMs: number | undefined): void {
    clearTimeout(this.#alarm);
    this.#dueAt = Date.now() + (delayMs ?? Infinity);
    if (delayMs !== undefined) this.#alarm = setTimeout(() => this.#handle("timeout"), delayMs);
  }

  socketOpened(): void {
    this.#handle("socket_opened");
  }

  socketClosed(code: number, reason: string, wasClean: boolean): void {
    this.core?.socketClosed(this, code, reason, wasClean);
  }

  frameArrived({ data }: MessageEvent): void {
    const envelope = parse(data);
    if (envelope instanceof Error) this.handlers.call("error", envelope);
    else if (this.isReliable) {
      if (this.core?.receive(this, envelope)) this.#deliverFrame(envelope, data);
    } else {
      if (envelope.type === (this.options.heartbeat?.pong ?? "pong")) this.#handle("pong");
      // At most once, the core has nothing to decide about an event. But like every frame it wakes what is due, because browsers are late with the
      // timers of hidden pages.
      this.#deliverFrame(envelope, data);
      if (Date.now() >= this.#dueAt) this.#handle("timeout");
    }
  }

  opened(): void {
    this.#tell("open", {});
  }

  closed(...close: Parameters<CoreHost["closed"]>): void {
    this.#tell("close", closeInfo(...close));
  }

  reconnecting(attempt: number, delayMs: number): void {
    this.#tell("reconnecting", { attempt, delayMs });
  }

  gaveUp(attempts: number): void {
    this.#tell("give_up", { attempts });
  }

  transmitted(seq: number): void {
    this.#later(() => {
      const message = this.outcomes.get(seq);
      // Nobody will acknowledge it, and it must not be sent again.
      const isLast = message?.isVolatile || this.snapshot.delivery !== "reliable";
      if (isLast) this.#forget(seq, message);
      message?.move("sent", undefined, isLast);
    });
  }

  acknowledged(origin: string | undefined, seq: number): void {
    this.#later(() => {
      if (origin || this.outcomes.acknowledge(seq)) this.outbox?.acknowledge(origin ?? this.clientId, seq);
    });
  }

  refused(seq: number, data: unknown): void {
    this.#later(() => {
      if (this.outcomes.refuse(seq, data)) this.outbox?.remove(this.clientId, seq);
    });
  }

  replied(seq: number, data: { readonly result?: unknown }): void {
    this.#later(() => this.outcomes.reply(seq, data.result ?? {}));
  }

  receipt(...receipt: Parameters<CoreHost["receipt"]>): void {
    this.#later(() => this.outcomes.receive(...receipt));
  }

  requestFailed(seq: number, failure: keyof typeof FAILURE_TEXTS): void {
    this.#later(() => this.outcomes.failRequest(seq, error(failure, FAILURE_TEXTS[failure])));
  }

  gap(stream: string, from: number, to: number | undefined): void {
    this.#tell("gap", { stream, from, to: to ?? null });
  }

  violation(violation: ProtocolViolation): void {
    const failure = error("protocol_error", `the server broke the protocol: ${violation}`);
    this.#tell("error", Object.assign(failure, { violation }));
  }

  dropped(frame: string, why: DropName, origin: string | undefined, seq: number): void {
    // What a previous client instance has left waits on disk for a server that can say what became of it.
    if (origin && why === "unconfirmed") return;
    this.#later(() => {
      const reason = why === "outcome_unknown" ? "unconfirmed" : why;
      // A page that meets a server of the reliable mode may still learn more of what a plain one could not confirm.
      const isKnown = origin || this.outcomes.get(seq)?.isDurable;
      if (isKnown && why !== "unconfirmed") this.outbox?.remove(origin ?? this.clientId, seq);
      if (!origin) {
        const status = reason === "expired" ? reason : "failed";
        this.outcomes.fail(seq, status, error(reason, `the message was dropped: ${reason}`));
      }
      const { type, data } = JSON.parse(frame);
      // Conversations ask the server with it, and ask again.
      if (type !== "ping") this.handlers.call("drop", { type, data, reason });
    });
  }

  changed(raw: RawSnapshot, isPhase: boolean): void {
    this.show(raw);
    this.#later(() => {
      this.listeners.call();
      if (isPhase) this.handlers.call("state", raw);
    });
  }

  /** Tells what happened in order, also what handlers cause. */
  deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) attempt(next);
    this.#isDelivering = false;
  }

  /** Does something during which nothing is told, such as making a handle of what is told about. */
  beforeDelivery<T>(act: () => T): T {
    const wasDelivering = this.#isDelivering;
    this.#isDelivering = true;
    try {
      return act();
    } finally {
      this.#isDelivering = wasDelivering;
      this.deliver();
    }
  }

  /** Takes back a message that was not sent yet. Says whether it was in time. */
  cancel(seq: number, message: Message): boolean {
    const isInTime = !!this.core?.command(this, "cancel", seq);
    if (isInTime) {
      this.#forget(seq, message);
      message.move("cancelled", error("cancelled", "the message was taken back"));
    }
    return isInTime;
  }

  /** Makes the snapshot what the core sees. */
  show(raw: RawSnapshot): void {
    const { phase } = raw;
    if (phase === "open" || phase === "logged_out") this.#error = null;
    raw.state = phase === "connecting" || phase === "open" || phase === "closing" ? phase : "closed";
    raw.error = this.#error;
    this.snapshot = raw;
  }

  /** Says why an attempt could not even start. */
  setError(cause: EverwireError): void {
    this.#error = cause;
    this.snapshot = { ...this.snapshot, error: cause };
    this.listeners.call();
  }

  /** Reports a problem that no call could answer for. */
  fail(cause: EverwireError): void {
    this.setError(cause);
    this.handlers.call("error", cause);
  }

  /** Ends what is left of a client that has just disconnected, without waiting for the server's part of the closing handshake. */
  end(cause: EverwireError): void {
    if (this.#socket.abandon()) this.socketClosed(1000, "", false);
    clearTimeout(this.#alarm);
    this.#attempt = undefined;
    this.core = undefined;
    this.outcomes.failAll(cause);
    this.listeners.call();
    this.listeners.clear();
    this.handlers.clear();
  }

  /** Nothing more can become of a message. */
  #forget(seq: number, message: Message | undefined): void {
    this.outcomes.forget(seq);
    if (message?.isDurable) this.outbox?.remove(this.clientId, seq);
  }

  #deliverFrame(envelope: Envelope, text: string): void {
    const { handlers } = this;
    const flaw = flawOf(envelope, text);
    if (flaw) handlers.call("error", flaw);
    else {
      // What a schema makes of it is for handlers.
      const { type, data: sent } = envelope;
      if (!this.#isValid(envelope)) return;
      const { data } = envelope;
      handlers.chats?.hear(type, sent);
      if (handlers.hearsAll) handlers.call(type, data, envelope, null);
      handlers.call(type, data, envelope);
    }
  }

  /** Whether an event fits its schema; tells of one that does not. */
  #isValid(envelope: Envelope): boolean {
    try {
      const invalid = this.options.schemas?.(envelope);
      if (DEVELOPMENT && invalid && !this.handlers.has("invalid")) warnOfUnheardInvalid(invalid);
      if (invalid) this.handlers.call("invalid", invalid);
      return !invalid;
    } catch (cause) {
      this.handlers.fail(envelope.type, cause, "schema");
      return false;
    }
  }

  #handle(happening: Happening): void {
    this.core?.handle(this, happening);
  }

  #tell(event: string, data: unknown): void {
    this.#later(() => this.handlers.call(event, data));
  }

  #later(tell: () => void): void {
    this.#events.push(tell);
  }
}
