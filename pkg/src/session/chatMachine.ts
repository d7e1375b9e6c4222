import type { ChatError, ChatKind, ChatMember, ChatMessage, ChatSnapshot, ChatStatus, EverwireError } from "everwire";
import {
  type ChatDialect,
  DIALECTS,
  type Fields,
  fieldsOf,
  readMessage,
  type StoredMessage,
  textOf,
  writeMessage,
} from "./chatEvents.js";
import type { TypingRule } from "./typing.js";

/** What a conversation asks for. */
export type ChatOutput =
  /** Send an event; `id` names the message that is in it. */
  | { readonly do: "send"; readonly type: string; readonly data: Fields; readonly id?: string }
  /** Fetch the page before a message, the newest page without one. */
  | { readonly do: "load_earlier"; readonly token: number; readonly before: string | null }
  /** Fetch what came after a message. */
  | { readonly do: "load_missed"; readonly token: number; readonly after: string | null };

export interface ChatConfig {
  readonly maxMessages: number;
  /** Whether the application can fetch pages. */
  readonly canLoadEarlier: boolean;
  /** Whether the application can fetch what came after a message. */
  readonly canLoadMissed: boolean;
  readonly typingRule: TypingRule;
  readonly error: (code: "refused" | "unconfirmed", message: string, cause?: unknown) => EverwireError;
}

interface Entry {
  message: ChatMessage;
  /** The server's time, as far as it is known; infinite for what is under way. */
  key: number;
  /** Orders messages of the same time: the server's id if it is a number. */
  rank: number;
  /** Orders the rest: in the order of arrival. */
  seq: number;
  /** Whether the server has shown it. */
  isStored: boolean;
  /** Whether it is all there; what is being written is not. */
  isWhole: boolean;
  /** Whether it was handed to a connection that has ended, at most once. */
  isInDoubt: boolean;
  isRead: boolean;
}

/**
 * One conversation, without clock, timers or I/O: facts go in with the time, in milliseconds since the epoch; `outputs`, `pollTimeout()` and `snapshot()` come
 * out. `docs/vectors/session` binds it and its twin in Rust.
 */
export class ChatMachine {
  /** What is to be done, in order. Whoever drives this machine takes it after every call. */
  readonly outputs: ChatOutput[] = [];
  readonly #kind: ChatKind;
  readonly #id: string;
  readonly #config: ChatConfig;
  readonly #dialect: ChatDialect;
  #userId: string | null = null;
  #entries: Entry[] = [];
  #members = new Map<string, ChatMember>();
  #areMembersListed = false;
  /** The users who type, and until when that is believed. */
  #typing = new Map<string, number>();
  #status: string | null = null;
  #error: ChatError | null = null;
  #isJoinRefused = false;

  #isOpen = false;
  #hasOpened = false;
  #isReliable = false;
  #isJoining = false;
  /** The server's clock minus this one's. */
  #skew = 0;
  #newest = 0;
  #oldest = 0;

  /** What has to be fetched. */
  #need: "nothing" | "history" | "missed";
  #mayHaveEarlier: boolean;
  /** The newest message before which nothing is missing. */
  #known: Entry | undefined;
  /** Where a fetch of several pages goes on. */
  #cursor: string | null = null;
  #fetched = 0;
  #token = 0;
  #refetch = 0;
  #earlier = 0;
  #fetchAt = Infinity;
  #retryMs = RETRY_MS;
  /** How many pongs must come before the server has surely seen this side join. */
  #pongs = 0;

  #isAnnounced = false;
  #isKeyNew = false;
  #sayAt = Infinity;
  #stopAt = Infinity;

  #snapshot: ChatSnapshot = EMPTY;

  constructor(kind: ChatKind, id: string, config: ChatConfig) {
    this.#kind = kind;
    this.#id = id;
    this.#config = config;
    this.#dialect = DIALECTS[kind];
    this.#need = config.canLoadEarlier ? "history" : "nothing";
    this.#mayHaveEarlier = config.canLoadEarlier;
  }

  /** Somebody uses the conversation. */
  entered(): void {
    this.#send(this.#dialect.join, {});
  }

  /** Nobody uses it any more. */
  left(): void {
    this.stopped();
    if (this.#dialect.leave) this.#send(this.#dialect.leave, {});
    this.closed();
    if (this.#hasOpened) this.#lost(0, false);
  }

  /** A connection is open, and the join is on its way. */
  opened(now: number, isReliable: boolean): void {
    const isFirst = !this.#hasOpened;
    this.#isOpen = this.#hasOpened = this.#isJoining = true;
    this.#isReliable = isReliable;
    this.#error = null;
    this.#retryMs = RETRY_MS;
    if (isFirst ? this.#need !== "nothing" : !isReliable || this.#need !== "nothing") this.#lost(now, true, isFirst);
  }

  closed(): void {
    this.#isOpen = this.#isAnnounced = this.#isKeyNew = this.#isJoining = false;
    this.#sayAt = this.#stopAt = this.#fetchAt = Infinity;
    this.#pongs = 0;
    this.#members.clear();
    this.#areMembersListed = false;
    this.#typing.clear();
    // Parts are not sent again.
    this.#entries = this.#entries.filter(({ isWhole }) => isWhole);
    if (this.#isReliable || this.#kind !== "match") return;
    for (const entry of this.#entries) entry.isInDoubt ||= entry.message.status === "sent" && !entry.isStored;
  }

  /** Events are lost for good. */
  gap(now: number): void {
    this.#lost(now, false);
  }

  /** The application knows who this user is. */
  identified(userId: string): void {
    if (userId === this.#userId) return;
    this.#userId = userId;
    for (const entry of this.#entries) {
      const { isOwn, senderId, role, data } = entry.message;
      if (isOwn && senderId === null) change(entry, { senderId: userId });
      else if (!isOwn && senderId === userId && role !== ASSISTANT) {
        change(entry, { isOwn: true, status: textOf(data.readAt) === undefined ? "sent" : "read" });
      }
    }
  }

  /** Something came from the server, about whatever. */
  event(now: number, type: string, payload: unknown): void {
    const data = fieldsOf(payload);
    const { key } = this.#dialect;
    const isHere = data[key] === this.#id;
    const userId = textOf(data.user_id);
    if (type === "error") this.#refused(data);
    else if (type === "pong") {
      const skew = Date.parse(textOf(data.timestamp) ?? "") - now;
      if (!Number.isNaN(skew)) this.#skew = skew;
      if (this.#pongs > 0 && --this.#pongs === 0) this.#fetchAt = now;
    } else if (type === "session_members") this.#named(now, data);
    else if (this.#kind === "session") {
      if (type === "message_received") {
        const message = fieldsOf(data.message);
        if ((message[key] ?? this.#id) === this.#id) this.#arrived(now, [message]);
      } else if (type === "typing_indicator") {
        if (userId && (data[key] ?? this.#id) === this.#id) this.#heard(now, userId, data.isTyping === true);
      } else if (type === "message_delta" && isHere) this.#written(now, data);
    } else if (type === "new_message") {
      if (data.matchId === this.#id) this.#arrived(now, [data]);
    } else if (type === "user_online_status") {
      if (userId && (this.#members.has(userId) || !this.#areMembersListed)) this.#came(userId, data.online === true);
    } else if (!isHere) return;
    else if (type === "user_typing" || type === "typing_stopped") {
      if (userId) this.#heard(now, userId, type === "user_typing");
    } else if (type === "message_read") this.#read(textOf(data.message_id), data.up_to === true);
    else if (type === "session_update" && textOf(data.status)) this.#turned(now, data.status as string);
  }

  /** This user has written a message. */
  write(now: number, id: string, content: string, fields: Fields): void {
    if (this.#find(id)) return;
    this.stopped();
    const entry = this.#add({
      id,
      serverId: null,
      content,
      senderId: this.#userId,
      isOwn: true,
      role: textOf(fields.role) ?? "user",
      at: now + this.#skew,
      status: "sending",
      error: null,
      data: fields,
    });
    this.#order();
    this.#submit(entry);
  }

  retry(now: number, id: string): void {
    const entry = this.#find(id);
    if (entry?.message.status !== "failed") return;
    change(entry, { status: "sending", error: null, at: now + this.#skew });
    entry.key = Infinity;
    entry.seq = ++this.#newest;
    entry.isInDoubt = false;
    this.#order();
    this.#submit(entry);
  }

  discard(id: string): void {
    this.#entries = this.#entries.filter(({ message }) => message.id !== id || message.status !== "failed");
  }

  /** The client knows more of what became of a message: its status there, and whether that connection is of the reliable mode. */
  moved(id: string, status: string, isReliable: boolean, error?: EverwireError): void {
    const entry = this.#find(id);
    if (!entry?.message.isOwn || entry.message.status === "failed") return;
    if (error) {
      this.#fail(entry, error);
      if (status === "refused") this.#complain(fieldsOf(error.cause));
    } else if (status === "acknowledged" || (status === "sent" && !isReliable)) {
      this.#advance(entry, "sent");
      // The sender's id is the server's in sessions.
      if (status === "acknowledged" && this.#kind === "session") change(entry, { serverId: id });
    } else if (status === "delivered" || status === "read") this.#advance(entry, status);
    this.#order();
  }

  keyPressed(now: number): void {
    if (!this.#isOpen) return;
    const { debounceMs, stopMs } = this.#config.typingRule;
    this.#stopAt = now + stopMs;
    this.#isKeyNew = true;
    if (this.#sayAt !== Infinity) return;
    if (this.#isAnnounced || debounceMs === 0) this.#say(now);
    else this.#sayAt = now + debounceMs;
  }

  stopped(): void {
    this.#stopAt = this.#sayAt = Infinity;
    this.#isKeyNew = false;
    if (this.#isAnnounced) this.#announce(false);
  }

  /** The user has seen the messages up to this one, or all. */
  markAsRead(id?: string): void {
    const isOther = ({ message, isWhole }: Entry): boolean => !message.isOwn && isWhole;
    const upTo =
      id === undefined ? this.#entries.length - 1 : this.#entries.findIndex(({ message }) => message.id === id);
    const seen = this.#entries.slice(0, upTo + 1).filter(isOther);
    const last = seen.at(-1);
    // What is read already was told, by this page or another.
    if (last && !last.isRead && this.#kind === "match") {
      this.#send("read_message", { message_id: last.message.serverId });
    }
    for (const entry of seen) entry.isRead = true;
  }

  /** The user wants the page before the oldest message. Says which fetch that is; 0 if there is nothing to fetch. */
  loadEarlier(): number {
    if (!this.#earlier && this.#hasEarlier()) {
      this.#earlier = ++this.#token;
      this.outputs.push({ do: "load_earlier", token: this.#earlier, before: this.#oldestId() });
    }
    return this.#earlier;
  }

  /** A fetch has an answer: messages, oldest first, and whether there are more. */
  loaded(now: number, token: number, messages: readonly unknown[], hasMore: boolean): void {
    const isEarlier = token === this.#earlier;
    const isRefetch = token === this.#refetch;
    const isForward = isRefetch && this.#isForward();
    const isHistory = isEarlier || this.#need === "history";
    this.#arrived(now, messages, isHistory ? Infinity : (this.#known?.key ?? -Infinity), !isForward);
    if (this.#error?.code === LOAD_FAILED) this.#error = null;
    if (isEarlier) {
      this.#earlier = 0;
      this.#mayHaveEarlier = hasMore;
    }
    if (!isRefetch) return;
    this.#refetch = 0;
    this.#retryMs = RETRY_MS;
    this.#fetched += messages.length;
    const end = readMessage(this.#kind, messages.at(isForward ? -1 : 0));
    const oldest = this.#entries.find(({ message }) => message.serverId === end?.serverId);
    const isReached = this.#need === "history" || !this.#known || (!!oldest && oldest.key <= this.#known.key);
    const isWorthIt = isForward
      ? end?.serverId !== this.#cursor
      : !isReached && this.#fetched < this.#config.maxMessages;
    if (hasMore && end && isWorthIt) {
      this.#cursor = end.serverId;
      this.#fetch();
      return;
    }
    if (!isForward && (this.#need === "history" || !isReached)) this.#mayHaveEarlier = hasMore;
    this.#need = "nothing";
    for (const entry of this.#entries) {
      if (!entry.isInDoubt) continue;
      entry.isInDoubt = false;
      this.#fail(
        entry,
        this.#config.error("unconfirmed", "the connection was lost, and the server does not have the message"),
      );
    }
    this.#order();
  }

  /** A fetch has failed. What the user asked for is not tried again; the rest is. */
  failed(now: number, token: number, message: string): void {
    if (token === this.#earlier) this.#earlier = 0;
    if (token !== this.#refetch) return;
    this.#refetch = 0;
    this.#error = { message, code: LOAD_FAILED };
    if (this.#isOpen) this.#fetchAt = now + this.#retryMs;
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
  }

  /** When to call `timeout()`; infinite if nothing is due. */
  pollTimeout(): number {
    return Math.min(this.#sayAt, this.#stopAt, this.#fetchAt, ...this.#typing.values());
  }

  timeout(now: number): void {
    if (now >= this.#stopAt) this.stopped();
    if (now >= this.#sayAt) {
      this.#sayAt = Infinity;
      if (this.#isKeyNew) this.#say(now);
    }
    for (const [userId, until] of this.#typing) if (now >= until) this.#typing.delete(userId);
    if (now >= this.#fetchAt) this.#fetch();
  }

  snapshot(): ChatSnapshot {
    const old = this.#snapshot;
    const isKnown = ({ userId }: ChatMember): boolean =>
      this.#areMembersListed || this.#entries.some(({ message }) => message.senderId === userId);
    const next: ChatSnapshot = {
      messages: kept(
        old.messages,
        this.#entries.map(({ message }) => message),
      ),
      members: kept(old.members, [...this.#members.values()].filter(isKnown)),
      typing: kept(old.typing, [...this.#typing.keys()]),
      unread: this.#entries.filter(({ message, isWhole, isRead }) => !message.isOwn && isWhole && !isRead).length,
      hasEarlier: this.#hasEarlier(),
      isLoading: !!(this.#earlier || this.#refetch),
      isComplete: this.#need !== "missed",
      status: this.#status,
      error: this.#error,
    };
    const names = Object.keys(next) as (keyof ChatSnapshot)[];
    if (names.some((name) => next[name] !== old[name])) this.#snapshot = Object.freeze(next);
    return this.#snapshot;
  }

  /** Whether something of the user would be lost with this. */
  get isPending(): boolean {
    return this.#entries.some(({ message: { status } }) => status === "sending" || status === "failed");
  }

  #send(type: string, data: Fields, id?: string): void {
    this.outputs.push({ do: "send", type, data: { ...data, [this.#dialect.key]: this.#id }, ...(id && { id }) });
  }

  #submit({ message: { id, content, data } }: Entry): void {
    const type = this.#dialect.send;
    this.outputs.push({ do: "send", type, data: writeMessage(this.#kind, this.#id, id, content, data), id });
  }

  #announce(isTyping: boolean): void {
    this.#isAnnounced = isTyping;
    this.#send(this.#dialect.typing, { [this.#dialect.isTyping]: isTyping });
  }

  #say(now: number): void {
    this.#isKeyNew = false;
    this.#sayAt = now + this.#config.typingRule.repeatMs;
    this.#announce(true);
  }

  #find(id: string): Entry | undefined {
    return this.#entries.find(({ message }) => message.id === id);
  }

  #add(message: ChatMessage, seq = ++this.#newest): Entry {
    const entry = {
      message,
      key: Infinity,
      rank: 0,
      seq,
      isStored: false,
      isWhole: true,
      isInDoubt: false,
      isRead: false,
    };
    this.#entries.push(entry);
    return entry;
  }

  /** Sorts, and forgets the oldest beyond the bound; what is under way goes last. */
  #order(): void {
    this.#entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.rank - b.rank || a.seq - b.seq));
    const excess = this.#entries.length - this.#config.maxMessages;
    if (excess > 0) {
      this.#entries.splice(0, excess);
      this.#mayHaveEarlier = this.#config.canLoadEarlier;
    }
  }

  /** Gives a message whose time only this side knows its place: behind what is there. */
  #place(entry: Entry): void {
    if (entry.key !== Infinity) return;
    this.#order();
    const last = lastOf(this.#entries, ({ key }) => key !== Infinity);
    const isBehind = !last || last.key < entry.message.at;
    entry.key = isBehind ? entry.message.at : last.key;
    entry.rank = isBehind ? 0 : last.rank;
    entry.seq = ++this.#newest;
  }

  #advance(entry: Entry, status: ChatStatus): void {
    if (ORDER.indexOf(status) <= ORDER.indexOf(entry.message.status as ChatStatus)) return;
    change(entry, { status, error: null });
    this.#place(entry);
  }

  #fail(entry: Entry, error: EverwireError): void {
    const { status } = entry.message;
    if (entry.isStored || (status !== "sending" && status !== "sent")) return;
    change(entry, { status: "failed", error });
    this.#place(entry);
  }

  /** Takes messages of the server, oldest first. In a session, those up to a time were read before. */
  #arrived(now: number, payloads: readonly unknown[], readUpTo = -Infinity, isBefore = false): void {
    if (isBefore) this.#oldest -= payloads.length;
    let seq = isBefore ? this.#oldest : this.#newest;
    if (!isBefore) this.#newest += payloads.length;
    for (const payload of payloads) {
      seq++;
      const message = readMessage(this.#kind, payload);
      if (message) this.#stored(now, message, payload as Fields, seq, readUpTo);
    }
    this.#order();
  }

  #stored(now: number, stored: StoredMessage, data: Fields, seq: number, readUpTo: number): void {
    const { serverId, clientId, content, senderId, role, isRead } = stored;
    const isMatch = this.#kind === "match";
    const isSame = ({ message }: Entry): boolean =>
      message.senderId === null || !senderId || message.senderId === senderId;
    const isMine = (): boolean => senderId !== null && senderId === this.#userId && role !== ASSISTANT;
    const known =
      this.#entries.find(({ message }) => message.serverId === serverId) ??
      this.#entries.find((entry) => entry.message.id === clientId && isSame(entry)) ??
      // A server that does not know the sender's ids says what this user wrote, in order.
      this.#entries.find(
        ({ message, isStored }) =>
          isMatch && isMine() && !clientId && message.isOwn && !isStored && message.content === content,
      );
    if (known && !isSame(known)) return;
    const id = known?.message.id ?? [clientId, serverId].find((name) => name && !this.#find(name));
    if (!id) return;
    if (known?.message.isOwn && known.message.senderId === null && senderId) this.identified(senderId);
    const isOwn = isMine() || !!known?.message.isOwn;
    const isTimed = !Number.isNaN(stored.at);
    const message: ChatMessage = {
      id,
      serverId,
      content,
      senderId: senderId ?? known?.message.senderId ?? null,
      isOwn,
      role,
      at: isTimed ? stored.at : (known?.message.at ?? now + this.#skew),
      status: isOwn ? further(known?.message.status, isRead ? "read" : "sent") : null,
      error: null,
      data,
    };
    const entry = known ?? this.#add(message, seq);
    if (JSON.stringify(entry.message) !== JSON.stringify(message)) entry.message = message;
    if (isTimed) {
      entry.key = stored.at;
      entry.rank = /^\d{1,15}$/.test(serverId) ? Number(serverId) : 0;
    } else this.#place(entry);
    entry.isWhole = entry.isStored = true;
    entry.isInDoubt = false;
    entry.isRead ||= isMatch ? isRead : entry.key <= readUpTo;
    if (senderId && !known?.isStored) this.#typing.delete(senderId);
    if (isOwn && isRead) {
      this.#order();
      this.#readUpTo(entry);
    }
  }

  /** A message is being written. */
  #written(now: number, data: Fields): void {
    const [id, content] = [textOf(data.message_id), textOf(data.text) ?? ""];
    if (!id) return;
    const known = this.#find(id);
    if (known?.isWhole) return;
    if (known) change(known, { content, data });
    else {
      const role = textOf(data.role) ?? ASSISTANT;
      const at = now + this.#skew;
      const [serverId, senderId, isOwn, status, error] = [null, null, false, null, null];
      const entry = this.#add({ id, serverId, content, senderId, isOwn, role, at, status, error, data });
      entry.isWhole = false;
      this.#place(entry);
    }
    this.#order();
  }

  #read(id: string | undefined, isUpTo: boolean): void {
    const entry = this.#entries.find(({ message }) => message.serverId === id);
    if (!entry || id === undefined) return;
    if (isUpTo) this.#readUpTo(entry);
    else this.#readOne(entry);
  }

  /** Reading a message reads all of its sender before it. */
  #readUpTo(last: Entry): void {
    for (const entry of this.#entries) {
      if (entry.message.isOwn === last.message.isOwn) this.#readOne(entry);
      if (entry === last) return;
    }
  }

  #readOne(entry: Entry): void {
    entry.isRead = true;
    const { isOwn, status } = entry.message;
    if (isOwn && (status === "sent" || status === "delivered")) change(entry, { status: "read" });
  }

  #heard(now: number, userId: string, isTyping: boolean): void {
    if (!isTyping) this.#typing.delete(userId);
    else if (userId !== this.#userId && (this.#typing.has(userId) || this.#typing.size < MOST_USERS)) {
      this.#typing.set(userId, now + this.#config.typingRule.clearMs);
    }
  }

  #named(now: number, { session_id, members }: Fields): void {
    if (session_id !== this.#id || !Array.isArray(members)) return;
    const old = this.#members;
    this.#members = new Map();
    for (const member of members.map(fieldsOf)) {
      const userId = textOf(member.user_id);
      if (!userId) continue;
      const known = old.get(userId);
      if (known) this.#members.set(userId, known);
      this.#came(userId, member.online === true);
    }
    this.#areMembersListed = true;
    this.#isJoining = false;
    if (this.#isJoinRefused) this.#error = null;
    this.#isJoinRefused = false;
    // What tells this side of the members sends it everything else too.
    if (this.#pongs > 0) this.#fetchAt = now;
    this.#pongs = 0;
  }

  #came(userId: string, online: boolean): void {
    const known = this.#members.get(userId);
    if (known ? known.online !== online : this.#members.size < MOST_USERS) {
      this.#members.set(userId, Object.freeze({ userId, online }));
    }
  }

  /** The match has another status. */
  #turned(now: number, status: string): void {
    const before = this.#status;
    this.#status = status;
    if (status === ACTIVE) {
      this.#error = null;
      // The end has ended the membership too.
      if (!this.#isOpen || before === ACTIVE || (before === null && !this.#isJoinRefused)) return;
      this.#isJoining = true;
      this.entered();
      this.#lost(now, true);
    } else {
      this.#error = { message: `the match is ${status}`, code: "not_active" };
      this.#typing.clear();
    }
  }

  #refused(data: Fields): void {
    const { about } = data;
    const { key, join, send } = this.#dialect;
    if ((data[key] ?? this.#id) !== this.#id) return;
    if (about === join) {
      if (!this.#isJoining) return;
      this.#isJoining = false;
      this.#isJoinRefused = true;
      this.#pongs = 0;
      this.#fetchAt = Infinity;
    } else if (about === send) {
      // Where each message is announced, in order, the first that is not must be the one that was refused.
      const entry = this.#entries.find(
        ({ message, isStored, isInDoubt }) => message.isOwn && message.status === "sent" && !isStored && !isInDoubt,
      );
      if (entry && this.#kind === "match" && !this.#isReliable) {
        this.#fail(entry, this.#config.error("refused", "the server refused the message (see `cause`)", data));
      }
    } else if (about !== "read_message") return;
    this.#complain(data);
  }

  #complain(data: Fields): void {
    const [message, code] = [textOf(data.message), textOf(data.code)];
    if (message !== undefined) this.#error = { message, ...(code !== undefined && { code }) };
  }

  /** Something may be missing from here on. */
  #lost(now: number, isJoining: boolean, isFirst = false): void {
    if (!isFirst) {
      const newest = lastOf(this.#entries, ({ message, isStored }) => isStored && message.serverId !== null);
      if (this.#need === "nothing" || (this.#need === "history" && newest)) {
        this.#need = "missed";
        this.#known = newest;
      }
    }
    this.#refetch = this.#fetched = 0;
    this.#cursor = null;
    if (!this.#isOpen || !(this.#config.canLoadEarlier || this.#config.canLoadMissed)) return;
    this.#fetchAt = isJoining ? now + JOIN_MS : now;
    if (!isJoining) return;
    // In the reliable mode one more pong is on its way, of the ping that follows the hello.
    this.#pongs = this.#isReliable ? 2 : 1;
    for (let i = 0; i < this.#pongs; i++) this.outputs.push({ do: "send", type: "ping", data: {} });
  }

  #isForward(): boolean {
    const { canLoadEarlier, canLoadMissed } = this.#config;
    return this.#need === "missed" && canLoadMissed && (!!this.#known || !canLoadEarlier);
  }

  #fetch(): void {
    this.#fetchAt = Infinity;
    if (this.#need === "nothing") return;
    this.#refetch = ++this.#token;
    const token = this.#refetch;
    if (this.#isForward()) {
      const after = this.#cursor ?? this.#known?.message.serverId ?? null;
      this.outputs.push({ do: "load_missed", token, after });
    } else this.outputs.push({ do: "load_earlier", token, before: this.#cursor });
  }

  #hasEarlier(): boolean {
    return (
      this.#mayHaveEarlier &&
      this.#hasOpened &&
      this.#need !== "history" &&
      this.#entries.length < this.#config.maxMessages
    );
  }

  #oldestId(): string | null {
    return (
      this.#entries.find(({ message, isStored }) => isStored && message.serverId !== null)?.message.serverId ?? null
    );
  }
}

const ASSISTANT = "assistant";
const ACTIVE = "active";
const LOAD_FAILED = "load_failed";
const ORDER: readonly ChatStatus[] = ["failed", "sending", "sent", "delivered", "read"];
const MOST_USERS = 1_000;
/** How long the server's answer to the join is waited for. */
const JOIN_MS = 3_000;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

const EMPTY: ChatSnapshot = {
  messages: [],
  members: [],
  typing: [],
  unread: 0,
  hasEarlier: false,
  isLoading: false,
  isComplete: true,
  status: null,
  error: null,
};

/** The status of two that is further on. */
function further(known: ChatStatus | null | undefined, status: ChatStatus): ChatStatus {
  return known && ORDER.indexOf(known) > ORDER.indexOf(status) ? known : status;
}

function change(entry: Entry, news: Partial<ChatMessage>): void {
  entry.message = { ...entry.message, ...news };
}

function lastOf<T>(list: readonly T[], fits: (item: T) => boolean): T | undefined {
  return [...list].reverse().find(fits);
}

/** The old list if the new one holds the same. */
function kept<T>(old: readonly T[], next: readonly T[]): readonly T[] {
  return old.length === next.length && next.every((item, at) => item === old[at]) ? old : Object.freeze(next);
}
