import type { ChatKind, ChatSnapshot, ChatStatus } from "everwire";
import { COLABMATCH_TYPING, MASTERX_TYPING } from "everwire/session";
import { expect, it } from "vitest";
import { type ChatMachine, chatMachine } from "../../pkg/src/session/chatMachine";
import { Random } from "./harness/random";

const MOST = 12;
const HISTORIES = 60;
const STEPS = 100;
const USERS = ["me", "ben", "eve"];
const STATUSES = ["queued", "sent", "acknowledged", "delivered", "read", "expired", "refused"];
const ORDER: readonly (ChatStatus | null)[] = [null, "failed", "sending", "sent", "delivered", "read"];

/** One conversation to which everything happens that can, in any order. */
class History {
  readonly #random: Random;
  readonly #kind: ChatKind;
  readonly #machine: ChatMachine;
  readonly #tokens: number[] = [];
  readonly #written: string[] = [];
  /** Those that were sent again since the last look. */
  readonly #retried = new Set<string>();
  #now = Date.UTC(2026, 0, 1);

  constructor(random: Random) {
    this.#random = random;
    this.#kind = random.one(["session", "match"]);
    this.#machine = chatMachine(this.#kind, "s", {
      maxMessages: MOST,
      canLoadEarlier: random.below(2) === 0,
      canLoadMissed: random.below(2) === 0,
      typingRule: this.#kind === "match" ? COLABMATCH_TYPING : MASTERX_TYPING,
      error: (code, message) => Object.assign(new Error(message), { code, name: "EverwireError" }) as never,
    });
    if (random.below(2) === 0) this.#machine.identified("me");
  }

  play(): void {
    let before = this.#machine.snapshot();
    for (let step = 0; step < STEPS; step++) {
      this.#retried.clear();
      const happened = this.#happen();
      for (const output of this.#machine.outputs.splice(0)) if (output.do === "load") this.#tokens.push(output.token);
      const after = this.#machine.snapshot();
      this.#check(before, after, `step ${step}: ${happened}`);
      before = after;
    }
  }

  #check(before: ChatSnapshot, after: ChatSnapshot, happened: string): void {
    const ids = after.messages.map(({ id }) => id);
    expect(new Set(ids).size, happened).toBe(ids.length);
    const serverIds = after.messages.map(({ serverId }) => serverId).filter((id) => id !== null);
    expect(new Set(serverIds).size, happened).toBe(serverIds.length);
    expect(ids.length, happened).toBeLessThanOrEqual(MOST);
    expect(this.#machine.snapshot(), happened).toBe(after);
    expect(after.unread, happened).toBeLessThanOrEqual(after.messages.filter(({ isOwn }) => !isOwn).length);
    const stored = after.messages.filter(({ data }) => "timestamp" in data || "createdAt" in data).map(({ at }) => at);
    expect(stored, happened).toEqual([...stored].sort((a, b) => a - b));
    for (const message of after.messages) {
      const { id, isOwn, status, error } = message;
      expect(status === null, happened).toBe(!isOwn);
      expect(error !== null, happened).toBe(status === "failed");
      const was = before.messages.find((known) => known.id === id);
      if (!was || this.#retried.has(id) || status === "failed") continue;
      expect(ORDER.indexOf(status), `${happened}: ${was.status} to ${status}`).toBeGreaterThanOrEqual(
        ORDER.indexOf(was.status),
      );
    }
  }

  #happen(): string {
    const machine = this.#machine;
    const random = this.#random;
    this.#now += random.below(1_500);
    const now = this.#now;
    const acts: readonly (readonly [string, () => void])[] = [
      ["entered", () => machine.entered()],
      ["left", () => machine.left()],
      ["opened", () => machine.opened(now, random.below(2) === 0)],
      ["closed", () => machine.closed()],
      ["gap", () => machine.gap(now)],
      ["identified", () => machine.identified("me")],
      ["write", () => this.#write()],
      ["write", () => this.#write()],
      ["retry", () => this.#retry()],
      ["discard", () => machine.discard(this.#anyWritten())],
      ["moved", () => this.#move()],
      ["moved", () => this.#move()],
      ["message", () => this.#message()],
      ["message", () => this.#message()],
      ["message", () => this.#message()],
      ["event", () => this.#event()],
      ["event", () => this.#event()],
      ["key", () => machine.keyPressed(now)],
      ["stopped", () => machine.stopped()],
      ["read", () => machine.markAsRead(random.below(2) ? String(random.below(40)) : undefined)],
      ["earlier", () => machine.loadEarlier()],
      ["loaded", () => this.#load()],
      ["failed", () => machine.failed(now, random.one([...this.#tokens, 1]), "HTTP 503")],
      ["timeout", () => machine.timeout(now)],
    ];
    const [name, act] = random.one(acts);
    act();
    return name;
  }

  #write(): void {
    const id = `c${this.#written.length}`;
    this.#written.push(id);
    this.#machine.write(this.#now, id, `text ${this.#random.below(3)}`, {});
  }

  #retry(): void {
    const id = this.#anyWritten();
    this.#retried.add(id);
    this.#machine.retry(this.#now, id);
  }

  #anyWritten(): string {
    return this.#random.one([...this.#written.slice(-8), "c0"]);
  }

  #move(): void {
    const status = this.#random.one(STATUSES);
    const isFailed = status === "expired" || status === "refused";
    const error = isFailed ? (Object.assign(new Error(status), { code: status }) as never) : undefined;
    this.#machine.moved(this.#anyWritten(), status, this.#random.below(2) === 0, error);
  }

  #payload(): object {
    const random = this.#random;
    const number = random.below(40);
    const at = new Date(Date.UTC(2026, 0, 1) + 1_000 * number).toISOString();
    const [content, user] = [`text ${random.below(3)}`, random.one(USERS)];
    const own = random.below(2) ? { clientId: this.#anyWritten() } : {};
    return this.#kind === "match"
      ? {
          id: String(number),
          matchId: "s",
          senderId: user,
          content,
          createdAt: at,
          readAt: random.one([null, at]),
          ...own,
        }
      : {
          id: random.one([String(number), this.#anyWritten()]),
          session_id: "s",
          user_id: user,
          content,
          timestamp: at,
        };
  }

  #message(): void {
    if (this.#kind === "match") this.#machine.event(this.#now, "new_message", this.#payload());
    else this.#machine.event(this.#now, "message_received", { message: this.#payload() });
  }

  #load(): void {
    const messages = Array.from({ length: this.#random.below(5) }, () => this.#payload());
    this.#machine.loaded(this.#now, this.#random.one([...this.#tokens, 1]), messages, this.#random.below(2) === 0);
  }

  #event(): void {
    const random = this.#random;
    const [user_id, here] = [random.one(USERS), { session_id: "s", match_id: "s" }];
    const id = String(random.below(40));
    const [type, data] = random.one<[string, object]>([
      ["pong", { timestamp: new Date(this.#now + 500).toISOString() }],
      ["session_members", { ...here, members: [{ user_id, online: true }] }],
      ["user_online_status", { user_id, online: random.below(2) === 0 }],
      ["typing_indicator", { ...here, user_id, isTyping: random.below(2) === 0 }],
      ["user_typing", { ...here, user_id }],
      ["typing_stopped", { ...here, user_id }],
      ["message_delta", { ...here, message_id: id, text: "…" }],
      ["message_read", { ...here, message_id: id, up_to: random.below(2) === 0 }],
      ["session_update", { ...here, status: random.one(["active", "ended"]) }],
      ["error", { message: "no", about: random.one(["join_session", "join_match", "send_message", "message_sent"]) }],
    ]);
    this.#machine.event(this.#now, type, data);
  }
}

it("whatever happens, in whatever order, the list keeps its promises", () => {
  const random = new Random(20_260_101);
  for (let history = 0; history < HISTORIES; history++) new History(random).play();
});
