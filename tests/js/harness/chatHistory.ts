import type { ChatKind, ChatSnapshot } from "everwire";
import { COLABMATCH_TYPING, MASTERX_TYPING } from "everwire/session";
import { type ChatMachine, chatMachine } from "../../../pkg/src/session/chatMachine";
import type { ChatOutput } from "../../../pkg/src/session/chatOutput";
import type { Random } from "./random";

/** A conversation in the form of docs/vectors/session. */
export interface ChatVector {
  readonly about: string;
  readonly kind: ChatKind;
  readonly id: string;
  readonly config: { readonly maxMessages: number; readonly loadEarlier: boolean; readonly loadMissed: boolean };
  readonly steps: readonly object[];
}

const START = Date.UTC(2026, 0, 1);
/** Names that are something else somewhere: members of every object, numbers that no double holds, nothing at all. */
const IDS = ["1", "2", "07", "900719925474099312345", "9007199254740993", "__proto__", "constructor", "é😀", ""];
const USERS = ["me", "ben", "__proto__", "hasOwnProperty", "", null, 7];
const TIMES = [
  "2026-01-01T00:00:05.000Z",
  "2026-01-01T00:00:05.000Z",
  "2026-01-01T00:00:04+00:00",
  "2026-01-01T01:00:06.5+0100",
  "2026-01-01T00:00:05.123456",
  "1969-12-31T23:59:59.999Z",
  "9999-12-31T23:59:59Z",
  "2026-02-30T00:00:00Z",
  "soon",
  "",
  null,
  5,
  undefined,
];
const ODD: readonly unknown[] = [null, 0, "text", [], [null], true, { id: 5 }, { id: "1" }, { content: "x" }];
const STATUSES = ["queued", "sent", "acknowledged", "delivered", "read", "nonsense"];

const THEN = "then";

/** What an adversary does to a conversation, and what the machine of the npm package makes of it. */
export function recordHistory(random: Random, number: number, steps: number): ChatVector {
  const kind = random.one<ChatKind>(["session", "match"]);
  const config = {
    maxMessages: random.one([1, 3, 8, 1_000]),
    loadEarlier: random.below(2) === 0,
    loadMissed: random.below(2) === 0,
  };
  const recorder = new Recorder(random, kind, config);
  const recorded = Array.from({ length: steps }, () => recorder.step());
  return { about: `Whatever happens, in whatever order: history ${number}.`, kind, id: "s", config, steps: recorded };
}

class Recorder {
  readonly #random: Random;
  readonly #kind: ChatKind;
  readonly #machine: ChatMachine;
  readonly #tokens: number[] = [];
  readonly #written: string[] = [];
  #now = START;
  #shown: Record<string, unknown> = {};

  constructor(random: Random, kind: ChatKind, config: ChatVector["config"]) {
    this.#random = random;
    this.#kind = kind;
    this.#machine = chatMachine(kind, "s", {
      maxMessages: config.maxMessages,
      canLoadEarlier: config.loadEarlier,
      canLoadMissed: config.loadMissed,
      typingRule: kind === "match" ? COLABMATCH_TYPING : MASTERX_TYPING,
      error: (code, message, cause) => Object.assign(new Error(message, { cause }), { code }) as never,
    });
  }

  step(): object {
    const before = this.#now;
    this.#now += this.#random.one([0, 0, 1, 400, 1_500, 4_000]);
    const at = this.#now === before && before !== START ? {} : { at: this.#now };
    const input = this.#happen();
    const out = this.#machine.outputs.splice(0).map((output) => this.#told(output));
    return JSON.parse(JSON.stringify({ ...at, ...input, ...(out.length && { out }), [THEN]: this.#changes() }));
  }

  #told(output: ChatOutput): object {
    if (output.do === "send") return { send: output.type, data: output.data, id: output.id };
    this.#tokens.push(output.token);
    return "before" in output.where ? { loadEarlier: output.where.before } : { loadMissed: output.where.after };
  }

  /** What the snapshot shows that it did not show before. */
  #changes(): object {
    const snapshot: ChatSnapshot = this.#machine.snapshot();
    const due = this.#machine.pollTimeout();
    const messages = snapshot.messages.map(({ data: _, error, ...message }) => ({
      ...message,
      error: error?.code ?? null,
    }));
    const seen: Record<string, unknown> = { ...snapshot, messages, due: due === Infinity ? null : due };
    const changes = Object.entries(seen).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(this.#shown[name]),
    );
    this.#shown = seen;
    return Object.fromEntries(changes);
  }

  #happen(): object {
    const random = this.#random;
    const machine = this.#machine;
    const now = this.#now;
    const reliable = random.below(2) === 0;
    const told = (name: string, argument: unknown, _: unknown): object => ({ [name]: argument });
    const acts: readonly (() => object)[] = [
      () => told("entered", true, machine.entered()),
      () => told("left", true, machine.left()),
      () => told("opened", { reliable }, machine.opened(now, reliable)),
      () => told("opened", { reliable }, machine.opened(now, reliable)),
      () => told("joined", { taken: reliable }, machine.joined(now, reliable)),
      () => told("closed", true, machine.closed()),
      () => told("gap", true, machine.gap(now)),
      () => told("reset", true, machine.reset(now)),
      () => this.#named(random.one(["me", "ben", "me"]), (id) => machine.identified(id), "identified"),
      () => this.#write(),
      () => this.#write(),
      () => this.#named(this.#anyWritten(), (id) => machine.retry(now, id), "retry"),
      () => this.#named(this.#anyWritten(), (id) => machine.discard(id), "discard"),
      () => this.#move(),
      () => this.#move(),
      () => this.#event(...this.#message()),
      () => this.#event(...this.#message()),
      () => this.#event(...this.#message()),
      () => this.#event(...this.#message()),
      () => this.#event(...this.#other()),
      () => this.#event(...this.#other()),
      () => this.#event(...this.#other()),
      () => told("keyPressed", true, machine.keyPressed(now)),
      () => told("stopped", true, machine.stopped()),
      () => told("markAsRead", null, machine.markAsRead()),
      () => this.#named(random.one([...this.#written, ...IDS]), (id) => machine.markAsRead(id), "markAsRead"),
      () => told("loadEarlier", true, machine.loadEarlier()),
      () => this.#load(),
      () => this.#load(),
      () => this.#fail(),
      () => told("timeout", true, machine.timeout(now)),
      () => told("timeout", true, machine.timeout(now)),
    ];
    return random.one(acts)();
  }

  #named(id: string, act: (id: string) => void, name: string): object {
    act(id);
    return { [name]: id };
  }

  #write(): object {
    const random = this.#random;
    const id = random.below(6) ? `c${this.#written.length}` : random.one(IDS.filter(Boolean));
    const fields = random.one([{}, { role: "assistant" }, { role: 5, id: "x", content: 1, match_id: "y" }]);
    const content = `text ${random.below(2)}`;
    this.#written.push(id);
    this.#machine.write(this.#now, id, content, fields);
    return { write: { id, content, fields } };
  }

  #anyWritten(): string {
    return this.#random.one([...this.#written.slice(-6), "c0"]);
  }

  #move(): object {
    const random = this.#random;
    const id = this.#anyWritten();
    const reliable = random.below(2) === 0;
    if (random.below(4)) {
      const status = random.one(STATUSES);
      this.#machine.moved(id, status, reliable);
      return { moved: { id, status, reliable } };
    }
    const code = random.one(["refused", "expired"]);
    const cause = code === "refused" ? { message: "no", code: random.one(["not_allowed", 5]) } : undefined;
    const status = code === "refused" ? "refused" : "failed";
    this.#machine.moved(id, status, reliable, Object.assign(new Error(code, { cause }), { code }) as never);
    return { moved: { id, status, reliable, error: code, cause } };
  }

  #event(type: string, data: unknown): object {
    this.#machine.event(this.#now, type, data);
    return { event: { type, data } };
  }

  #payload(): unknown {
    const random = this.#random;
    if (random.below(10) === 0) return random.one(ODD);
    const id = random.one([...this.#written.slice(-4), ...IDS, String(random.below(20))]);
    const [user, time] = [random.one(USERS), random.one(TIMES)];
    const content = random.one(["text 0", "text 1", "text 0", 5]);
    const role = random.one([undefined, "assistant", "user", 5]);
    const readAt = random.one([undefined, null, "2026-01-01T00:00:09.000Z"]);
    const payload =
      this.#kind === "match"
        ? {
            id,
            matchId: random.below(8) ? "s" : "other",
            senderId: user,
            content,
            role,
            createdAt: time,
            readAt,
            clientId: random.one([undefined, null, ...this.#written.slice(-3), ...IDS]),
          }
        : {
            id,
            session_id: random.one(["s", "s", undefined, null, "other"]),
            user_id: user,
            content,
            role,
            timestamp: time,
          };
    // As it is once it has come over the wire.
    return JSON.parse(JSON.stringify(payload));
  }

  #message(): [type: string, data: unknown] {
    const payload = this.#payload();
    return this.#kind === "match" ? ["new_message", payload] : ["message_received", { message: payload }];
  }

  #load(): object {
    const random = this.#random;
    if (this.#tokens.length === 0) return {};
    const of = random.below(3) ? this.#tokens.length : 1 + random.below(this.#tokens.length);
    const messages = Array.from({ length: random.below(5) }, () => this.#payload());
    const hasMore = random.below(2) === 0;
    this.#machine.loaded(this.#now, this.#tokens[of - 1] as number, messages, hasMore);
    return { loaded: { messages, hasMore, of } };
  }

  #fail(): object {
    const token = this.#tokens.at(-1);
    if (token === undefined) return {};
    this.#machine.failed(this.#now, token, "503");
    return { failed: "503" };
  }

  #other(): [type: string, data: unknown] {
    const random = this.#random;
    const user_id = random.one(USERS);
    const here = random.one([
      { session_id: "s", match_id: "s" },
      { session_id: "s", match_id: "s" },
      {},
      { session_id: "o", match_id: null },
    ]);
    const message_id = random.one([...this.#written.slice(-3), ...IDS, null]);
    const flag = random.one([true, false, "true", null]);
    const members = random.one([
      [{ user_id, online: flag }],
      [{ user_id: "me", online: true }, 5, null, { user_id, online: flag }, { user_id: "me" }],
      "nobody",
    ]);
    const about = random.one(["join_session", "join_match", "send_message", "message_sent", "read_message", null]);
    return random.one<[string, unknown]>([
      ["pong", { timestamp: random.one(TIMES.filter((time) => time !== undefined)) }],
      ["pong", random.one(ODD)],
      ["session_members", { ...here, members }],
      ["user_online_status", { user_id, online: flag }],
      ["typing_indicator", { ...here, user_id, isTyping: flag }],
      ["user_typing", { ...here, user_id }],
      ["typing_stopped", { ...here, user_id }],
      ["message_delta", { ...here, message_id, text: random.one(["…", null]), role: random.one(["tutor", null]) }],
      ["message_read", { ...here, message_id, up_to: flag }],
      ["session_update", { ...here, status: random.one(["active", "ended", "", 5]) }],
      [
        "error",
        {
          ...here,
          message: random.one(["no", 5]),
          code: random.one(["not_joined", null]),
          about,
          ...random.one([{}, { seq: 3 }, { message_id }]),
        },
      ],
      ["constructor", random.one(ODD)],
    ]);
  }
}
