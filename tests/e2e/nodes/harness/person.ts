import type { NativeSocketClient, Options } from "everwire";
import { expect } from "vitest";
import { client } from "../../deploy/harness/client";

/** A user with one client, who writes in one session and remembers what the others wrote there. */
export class Person {
  readonly user: string;
  readonly client: NativeSocketClient;
  /** The ids of the messages that were accepted for sending, and of those that came from others, in order. */
  readonly sent: string[] = [];
  readonly received: string[] = [];
  /** How many of them the server has said to be stored. */
  acknowledged = 0;
  /** What should not happen: gaps, drops, refusals, errors. */
  readonly troubles: string[] = [];
  /** Who was last said to be online, by user. */
  readonly online = new Map<string, boolean>();
  /** Whom this user has seen typing, most recent last. */
  readonly typing: string[] = [];
  /** Each loss of the connection, and when it was open again; milliseconds since 1970. */
  readonly outages: Outage[] = [];
  readonly #session: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(user: string, session: string, certificate: string | undefined, options: Options) {
    this.user = user;
    this.#session = session;
    // How long a killed database takes to recover is the machine's affair.
    const reconnect = { maxAttempts: Number.POSITIVE_INFINITY };
    this.client = client(certificate, { delivery: "reliable", reconnect, ...options });
    this.#listen();
    this.client.connect();
    this.client.send("join_session", { session_id: session });
  }

  async untilOpen(): Promise<void> {
    await expect.poll(() => this.client.getSnapshot().state, { message: this.user }).toBe("open");
    expect(this.client.getSnapshot().delivery).toBe("reliable");
  }

  /** Says one thing, which has to be processed once. */
  say(): void {
    const id = `${this.user}-${this.sent.length + 1}`;
    const message = { session_id: this.#session, message: { id, content: "hello" } };
    const result = this.client.send("message_sent", message);
    if (result.status === "refused") this.troubles.push(`refused: ${result.code}`);
    else {
      this.sent.push(id);
      // What becomes of those that fail is told by `drop`.
      result.done().then(
        () => this.acknowledged++,
        () => {},
      );
    }
  }

  type(): void {
    this.client.send("user_typing", { session_id: this.#session, isTyping: true });
  }

  startTalking(): void {
    this.#timer = setInterval(() => this.say(), PAUSE_MS);
  }

  stopTalking(): void {
    clearInterval(this.#timer);
  }

  leave(): void {
    this.stopTalking();
    this.client.dispose();
  }

  /** The longest time without a connection, in milliseconds; 0 if there was none. */
  longestOutage(): number {
    return Math.max(0, ...this.outages.map(({ from, until }) => (until ?? Date.now()) - from));
  }

  /** Since when the connection has been there again, for outages that began after a moment; 0 if there was none. */
  backAfter(moment: number): number {
    const ends = this.outages.filter(({ from }) => from >= moment).map(({ until }) => (until ?? Date.now()) - moment);
    return Math.max(0, ...ends);
  }

  /** The one that has not ended; attempts that fail belong to it. */
  #outage(): Outage | undefined {
    const last = this.outages.at(-1);
    return last?.until === undefined ? last : undefined;
  }

  #listen(): void {
    const { client } = this;
    client.on("message_received", ({ message }) => this.received.push(message.id));
    client.on("session_members", ({ members }) => {
      for (const { user_id, online } of members) this.online.set(user_id, online);
    });
    client.on("typing_indicator", ({ user_id }) => this.typing.push(user_id));
    client.on("gap", ({ stream }) => this.troubles.push(`gap in ${stream}`));
    client.on("drop", ({ reason }) => this.troubles.push(`dropped: ${reason}`));
    client.on("error", (error) => this.troubles.push(`error: ${String(error.message)}`));
    client.on("give_up", () => this.troubles.push("gave up"));
    client.on("close", () => {
      if (this.#outage() === undefined) this.outages.push({ from: Date.now() });
    });
    client.on("open", () => {
      const outage = this.#outage();
      if (outage !== undefined) outage.until = Date.now();
    });
  }
}

interface Outage {
  readonly from: number;
  until?: number;
}

const PAUSE_MS = 40;
