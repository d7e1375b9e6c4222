import { type EverwireError, error } from "../errors.js";
import type { Message } from "../message.js";

/** The messages whose outcome is open, the latest of those that are acknowledged, and the requests without a reply, by their numbers. */
export class Outcomes {
  readonly #open = new Map<number, Message>();
  readonly #acknowledged = new Map<number, Message>();
  readonly #requests = new Map<number, [resolve: (reply: unknown) => void, reject: (cause: EverwireError) => void]>();

  watch(seq: number, message: Message): void {
    this.#open.set(seq, message);
  }

  expectReply(seq: number, resolve: (reply: unknown) => void, reject: (cause: EverwireError) => void): void {
    this.#requests.set(seq, [resolve, reject]);
  }

  /** The message of this number, if more may become of it than that it is delivered and read. */
  get(seq: number): Message | undefined {
    return this.#open.get(seq);
  }

  forget(seq: number): void {
    this.#open.delete(seq);
  }

  /** The server has processed every message up to this one. Says whether a durable one is among them. */
  acknowledge(seq: number): boolean {
    let isDurable = false;
    for (const [number, message] of this.#open) {
      if (number > seq) break;
      if (message.status === "queued") continue;
      this.#open.delete(number);
      this.#acknowledged.set(number, message);
      isDurable ||= message.isDurable;
      message.move("acknowledged");
    }
    for (const [number] of this.#acknowledged) {
      if (this.#acknowledged.size <= KEPT_MESSAGES) break;
      this.#acknowledged.delete(number);
    }
    return isDurable;
  }

  reply(seq: number, result: unknown): void {
    this.#requests.get(seq)?.[0](result);
    this.#requests.delete(seq);
  }

  receive(seq: number, status: "delivered" | "read"): void {
    (this.#open.get(seq) ?? this.#acknowledged.get(seq))?.move(status);
  }

  /** The server has refused a message, which may be acknowledged already. Says whether it is a durable one. */
  refuse(seq: number, data: unknown): boolean {
    const message = this.#open.get(seq) ?? this.#acknowledged.get(seq);
    this.fail(seq, "refused", error("refused", "the server refused the message (see `cause`)", data), message);
    return !!message?.isDurable;
  }

  /** The end of a message, and of a request, without success. */
  fail(
    seq: number,
    status: "refused" | "expired" | "failed",
    cause: EverwireError,
    message = this.#open.get(seq),
  ): void {
    this.#open.delete(seq);
    message?.move(status, cause);
    this.failRequest(seq, cause);
  }

  failRequest(seq: number, cause: EverwireError): void {
    this.#requests.get(seq)?.[1](cause);
    this.#requests.delete(seq);
  }

  failAll(cause: EverwireError): void {
    for (const seq of [...this.#open.keys(), ...this.#requests.keys()]) this.fail(seq, "failed", cause);
  }
}

/** How many acknowledged messages can still be delivered and read. */
const KEPT_MESSAGES = 1_000;
