import { type EverwireError, error } from "../errors.js";
import type { Message } from "../message.js";

/** The messages whose outcome is open, the latest of those that are acknowledged, and the requests without a reply, by their numbers. */
export class Outcomes {
  readonly #messages = new Map<number, Message>();
  /** The highest number that is acknowledged. */
  #acknowledged = 0;
  readonly #requests = new Map<number, [resolve: (reply: unknown) => void, reject: (cause: EverwireError) => void]>();

  watch(seq: number, message: Message): void {
    this.#messages.set(seq, message);
  }

  expectReply(seq: number, resolve: (reply: unknown) => void, reject: (cause: EverwireError) => void): void {
    this.#requests.set(seq, [resolve, reject]);
  }

  /** The message of this number, unless nothing more can become of it. */
  get(seq: number): Message | undefined {
    return this.#messages.get(seq);
  }

  forget(seq: number): void {
    this.#messages.delete(seq);
  }

  /** The server has processed every message up to this one. Says whether a durable one is among them. */
  acknowledge(seq: number): boolean {
    let isDurable = false;
    while (this.#acknowledged < seq) {
      const message = this.get(++this.#acknowledged);
      if (message && message.status !== "queued") {
        isDurable ||= message.isDurable;
        message.move("acknowledged");
      }
      const oldest = this.#acknowledged - KEPT_MESSAGES;
      if (this.get(oldest)?.status !== "queued") this.#messages.delete(oldest);
    }
    return isDurable;
  }

  reply(seq: number, result: unknown): void {
    this.#requests.get(seq)?.[0](result);
    this.#requests.delete(seq);
  }

  receive(seq: number, status: "delivered" | "read"): void {
    this.get(seq)?.move(status);
  }

  /** The server has refused a message, which may be acknowledged already. Says whether it is a durable one. */
  refuse(seq: number, data: unknown): boolean | undefined {
    const message = this.get(seq);
    this.fail(seq, "refused", error("refused", "the server refused the message (see `cause`)", data), message);
    return message?.isDurable;
  }

  /** The end of a message, and of a request, without success. */
  fail(
    seq: number,
    status: "refused" | "expired" | "failed",
    cause: EverwireError,
    message = this.#messages.get(seq),
  ): void {
    this.#messages.delete(seq);
    message?.move(status, cause);
    this.failRequest(seq, cause);
  }

  failRequest(seq: number, cause: EverwireError): void {
    this.#requests.get(seq)?.[1](cause);
    this.#requests.delete(seq);
  }

  failAll(cause: EverwireError): void {
    for (const [seq, { status }] of this.#messages)
      if (seq > this.#acknowledged || status === "queued") this.fail(seq, "failed", cause);
    for (const seq of this.#requests.keys()) this.failRequest(seq, cause);
  }
}

/** How many acknowledged messages can still be delivered and read. */
const KEPT_MESSAGES = 1_000;
