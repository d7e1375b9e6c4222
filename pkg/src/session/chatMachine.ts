import type { ChatError, ChatKind, ChatMember, ChatMessage, ChatSnapshot, ChatStatus, EverwireError } from "everwire";
import { announcer } from "./announcer.js";
import type { ChatConfig } from "./chatConfig.js";
import {
  DIALECTS,
  type Fields,
  fieldsOf,
  READ,
  readMessage,
  type StoredMessage,
  textOf,
  timeOf,
  writeMessage,
} from "./chatEvents.js";
import type { ChatOutput } from "./chatOutput.js";
import { change, type Entry, further, lastOf, readUpTo } from "./timeline.js";

type Need = "nothing" | "history" | "missed";

/** What happens to a conversation, each with the time where it matters. */
export interface ChatMachine {
  /** What is to be done, in order. Whoever drives this machine takes it after every call. */
  readonly outputs: ChatOutput[];
  /** Somebody uses the conversation. */
  entered(): void;
  /** Nobody uses it any more. */
  left(): void;
  /** A connection is open, and the join is on its way. */
  opened(now: number, isReliable: boolean): void;
  /** The join was handed to the client, or the server has taken it: in the reliable mode by an acknowledgement, at most once when it was sent. */
  joined(now: number, isTaken: boolean): void;
  closed(): void;
  /** Events are lost for good. */
  gap(now: number): void;
  /** The server has lost its memory and counts anew: its ids may name other messages than before. */
  reset(now: number): void;
  /** It is known who this user is. */
  identified(userId: string): void;
  /** Something came from the server, about whatever. */
  event(now: number, type: string, payload: unknown): void;
  /** This user has written a message. */
  write(now: number, id: string, content: string, fields: Fields): void;
  retry(now: number, id: string): void;
  discard(id: string): void;
  /** The client knows more of what became of a message: its status there, and whether that connection is of the reliable mode. */
  moved(id: string, status: string, isReliable: boolean, error?: EverwireError): void;
  keyPressed(now: number): void;
  stopped(): void;
  /** The user has seen the messages up to this one, or all. */
  markAsRead(id?: string): void;
  /** The user wants the page before the oldest message, or the first one at once. Says which fetch that is; 0 if there is nothing to fetch. */
  loadEarlier(): number;
  /** A fetch has an answer: messages, and whether there are more. */
  loaded(now: number, token: number, messages: readonly unknown[], hasMore: boolean): void;
  /** A fetch has failed. What the user asked for is not tried again; the rest is. */
  failed(now: number, token: number, message: string): void;
  /** When to call `timeout()`; infinite if nothing is due. */
  pollTimeout(): number;
  timeout(now: number): void;
  snapshot(): ChatSnapshot;
  /** Whether something of the user would be lost with this. */
  isPending(): boolean;
}

/**
 * One conversation, without clock, timers or I/O: facts go in with the time, in milliseconds since the epoch; `outputs`, `pollTimeout()` and `snapshot()` come
 * out. `docs/vectors/session` binds it and its twin in Rust.
 */
export function chatMachine(kind: ChatKind, conversation: string, config: ChatConfig): ChatMachine {
  const outputs: ChatOutput[] = [];
  const dialect = DIALECTS[kind];
  let me: string | null = null;
  let entries: Entry[] = [];
  let present = new Map<string, ChatMember>();
  let areMembersListed = false;
  /** The users who type, and until when that is believed. */
  const typists = new Map<string, number>();
  let matchStatus: string | null = null;
  let refusal: ChatError | null = null;
  let isJoinRefused = false;

  let isOpen = false;
  let hasOpened = false;
  let isReliableNow = false;
  let isJoinOpen = false;
  /** The server's clock minus this one's. */
  let clockSkew = 0;
  /** What was placed after this one has a time of this side's that no pong has confirmed. */
  let pongSeq = 0;
  let newestSeq = 0;
  let oldestSeq = 0;
  /** What came live after this one is without holes. */
  let wholeAfter = 0;

  /** What has to be fetched. */
  let need: Need = config.canLoadEarlier ? "history" : "nothing";
  let isComplete = true;
  /** Whether the server counts anew, and its history has not come. */
  let isReset = false;
  /** The first message of the pages, if it is not the oldest: one's own that was sent again may be older, and others between. */
  let begin: string | undefined;
  let mayHaveEarlier = config.canLoadEarlier;
  /** The newest message before which nothing is missing. */
  let knownUpTo: Entry | undefined;
  /** Where a fetch of several pages goes on. */
  let cursor: string | null = null;
  let fetched = 0;
  let lastToken = 0;
  /** The last fetch of what the server had before it lost its memory. */
  let resetToken = 0;
  let refetch = 0;
  let earlier = 0;
  let fetchAt = Infinity;
  let retryMs = RETRY_MS;
  /** How many pongs must come before the server has surely seen this side join. */
  let pongs = 0;
  /** Whether the pings are out and it is not sure yet. */
  let isAsking = false;
  /** Whether the join waits until the server takes it, as any message of the reliable mode. */
  let isJoinWaiting = false;
  /** Whether it has. */
  let isJoinSeen = false;
  /** What was fetched before it had, and from where: to be fetched once more. */
  let again: { need: Need; knownUpTo: Entry | undefined } | undefined;

  const typing = announcer(config.typingRule, (isTyping) => emit(dialect.typing, { [dialect.isTyping]: isTyping }));

  /** What was told as read while a page that may not know of it is on its way. */
  const reads: Fields[] = [];

  /** The latest message that was told as read, while nothing says that the server knows; and whether that may be lost. */
  let receipt: unknown;
  let isReceiptInDoubt = false;

  let shown: Partial<ChatSnapshot> = {};

  function entered(): void {
    emit(dialect.join, {});
  }

  function left(): void {
    typing.stopped();
    if (dialect.leave) emit(dialect.leave, {});
    closed();
    if (hasOpened) lost(0, false);
  }

  function opened(now: number, isReliable: boolean): void {
    const isFirst = !hasOpened;
    // Only a reliable connection after another goes on where that one ended.
    const goesOn = isReliableNow && isReliable;
    isOpen = hasOpened = isJoinOpen = true;
    isReliableNow = isReliable;
    refusal = null;
    retryMs = RETRY_MS;
    fetchAgain();
    if (need !== "nothing" || !(isFirst || goesOn)) lost(now, true, isFirst || goesOn);
    if (isReceiptInDoubt && receipt) tellRead(receipt);
  }

  function joined(now: number, isTaken: boolean): void {
    isJoinWaiting = !isTaken;
    answered(now);
  }

  function closed(): void {
    isReceiptInDoubt ||= isOpen && !isReliableNow;
    isOpen = isJoinOpen = isAsking = false;
    typing.forget();
    fetchAt = Infinity;
    pongs = 0;
    present.clear();
    areMembersListed = false;
    typists.clear();
    // Parts are not sent again.
    entries = entries.filter(({ isWhole }) => isWhole);
    if (!isReliableNow) doubt();
  }

  /** Whether a match has what it has not shown is not known. In a session the acknowledgement says so. */
  function doubt(): void {
    if (kind !== "match") return;
    for (const entry of entries) entry.isInDoubt ||= entry.message.status === "sent" && !entry.isStored;
  }

  function gap(now: number): void {
    lost(now, false);
  }

  function reset(now: number): void {
    receipt = undefined;
    for (const entry of entries) entry.isStale = entry.isStored || entry.message.serverId !== null;
    // Every stream tells of it.
    if (isReset && isAsking) return;
    doubt();
    isReset = true;
    resetToken = lastToken;
    reads.length = 0;
    need = "nothing";
    again = undefined;
    // A page before what is fetched anew does not join it.
    earlier = 0;
    lost(now, true);
  }

  function identified(userId: string): void {
    if (userId === me) return;
    me = userId;
    for (const entry of entries) {
      const { isOwn, senderId, serverId, role, data } = entry.message;
      if (isOwn && (senderId === null || serverId === null)) change(entry, { senderId: userId });
      else if (!isOwn && senderId === userId && role !== ASSISTANT) {
        change(entry, { isOwn: true, status: textOf(data.readAt) === undefined ? "sent" : "read" });
      }
    }
  }

  function event(now: number, type: string, payload: unknown): void {
    const data = fieldsOf(payload);
    const isHere = data[dialect.key] === conversation;
    const userId = textOf(data.user_id);
    if (type === "error") refused(data);
    else if (type === "pong") {
      const skew = timeOf(data.timestamp) - now;
      if (Math.abs(skew) < MAX_SKEW_MS) correct(skew);
      if (pongs > 0) pongs--;
      answered(now);
    } else if (type === "session_members") named(now, data);
    else if (kind === "session") {
      if (type === "message_received") {
        const message = fieldsOf(data.message);
        if (isNotElsewhere(message)) arrived(now, [message]);
      } else if (type === "typing_indicator") {
        if (userId && isNotElsewhere(data)) heard(now, userId, data.isTyping === true);
      } else if (type === "message_delta" && isHere) written(now, data);
    } else if (type === "new_message") {
      if (data.matchId === conversation) arrived(now, [data]);
    } else if (type === "user_online_status") {
      if (userId && (present.has(userId) || !areMembersListed)) came(userId, data.online === true);
    } else if (!isHere) return;
    else if (type === "user_typing" || type === "typing_stopped") {
      if (userId) heard(now, userId, type === "user_typing");
    } else if (type === "message_read") {
      if (data.message_id === receipt) receipt = undefined;
      if (isLoading() && reads.length < config.maxMessages) reads.push(data);
      read(data);
    } else if (type === "session_update" && textOf(data.status)) turned(now, data.status as string);
  }

  function write(now: number, id: string, content: string, fields: Fields): void {
    if (find(id)) return;
    typing.stopped();
    const entry = addEntry({
      ...UNKNOWN,
      id,
      content,
      senderId: me,
      isOwn: true,
      role: textOf(fields.role) ?? USER,
      at: now + clockSkew,
      status: "sending",
      data: fields,
    });
    order();
    submit(entry);
  }

  function retry(now: number, id: string): void {
    const entry = find(id);
    if (entry?.message.status !== "failed") return;
    change(entry, { status: "sending", error: null, at: now + clockSkew });
    entry.key = Infinity;
    entry.seq = ++newestSeq;
    entry.isInDoubt = false;
    order();
    submit(entry);
  }

  function discard(id: string): void {
    entries = entries.filter(({ message }) => message.id !== id || message.status !== "failed");
  }

  function moved(id: string, status: string, isReliable: boolean, error?: EverwireError): void {
    const entry = find(id);
    if (!entry?.message.isOwn || entry.message.status === "failed") return;
    if (error) {
      fail(entry, error);
      if (status === "refused") complain(fieldsOf(error.cause));
    } else if (status === "acknowledged" || (status === "sent" && !isReliable)) {
      advance(entry, "sent");
      // The sender's id is the server's in sessions.
      if (status === "acknowledged" && kind === "session") change(entry, { serverId: id });
    } else if (status === "delivered" || status === "read") advance(entry, status);
    order();
  }

  function keyPressed(now: number): void {
    if (isOpen) typing.keyPressed(now);
  }

  function markAsRead(id?: string): void {
    const isOther = ({ message, isWhole }: Entry): boolean => !message.isOwn && isWhole;
    const upTo = id === undefined ? entries.length - 1 : entries.findIndex(({ message }) => message.id === id);
    const seen = entries.slice(0, upTo + 1).filter(isOther);
    const last = lastOf(seen, isKnown);
    // What is read already was told, by this page or another.
    if (last && !last.isRead && kind === "match") tellRead(last.message.serverId);
    for (const entry of seen) entry.isRead = true;
  }

  function loadEarlier(): number {
    if (need === "history") {
      if (fetchAt < Infinity) fetch();
      return refetch;
    }
    if (!earlier && hasEarlier()) {
      earlier = ++lastToken;
      outputs.push({ do: "load", token: earlier, where: { before: begin ?? oldestId() } });
    }
    return earlier;
  }

  function loaded(now: number, token: number, messages: readonly unknown[], hasMore: boolean): void {
    if (token <= resetToken) return;
    const isEarlier = token === earlier;
    const isRefetch = token === refetch;
    const isForward = isRefetch && goesForward();
    const isHistory = isEarlier || need === "history";
    const historyUpTo = isEarlier ? Infinity : (knownUpTo?.key ?? (isHistory ? Infinity : -Infinity));
    arrived(now, messages, historyUpTo, !isForward);
    reads.splice(0).forEach(read);
    if (refusal?.code === LOAD_FAILED) refusal = null;
    // In the order in which they are shown: an application may give another, and a server's clock may have been set back.
    const ids: unknown[] = messages.map((payload) => readMessage(kind, payload)?.serverId);
    const page = entries.filter(({ message }) => ids.includes(message.serverId));
    if ((isEarlier || isRefetch) && isHistory) begin = page[0]?.message.serverId ?? begin;
    if (isEarlier) {
      earlier = 0;
      mayHaveEarlier = hasMore;
    }
    if (!isRefetch) return;
    refetch = 0;
    retryMs = RETRY_MS;
    fetched += messages.length;
    const end = page.at(isForward ? -1 : 0);
    const isReached = need === "history" || !knownUpTo || (!!end && end.key <= knownUpTo.key);
    const isWorthIt = isForward ? end?.message.serverId !== cursor : !isReached && fetched < config.maxMessages;
    if (hasMore && end && isWorthIt) {
      cursor = end.message.serverId;
      fetch();
      return;
    }
    if (!isForward && (need === "history" || !isReached)) mayHaveEarlier = hasMore;
    if (need === "history") {
      entries = entries.filter(({ isStale }) => !isStale);
      // Between these and the page there may be others.
      if (hasMore)
        entries = entries.filter(({ isStored, key, seq }) => !isStored || !end || key >= end.key || seq > wholeAfter);
    }
    isReset = false;
    if (!isJoinSeen) again = { need, knownUpTo };
    need = "nothing";
    isComplete = true;
    for (const entry of entries.filter(({ isInDoubt }) => isInDoubt)) {
      entry.isInDoubt = false;
      fail(entry, config.error("unconfirmed", "the connection was lost, and the server does not have the message"));
    }
    order();
  }

  function failed(now: number, token: number, message: string): void {
    if (token === earlier) earlier = 0;
    if (token !== refetch) return;
    refetch = 0;
    refusal = { message, code: LOAD_FAILED };
    if (isOpen) fetchAt = now + retryMs;
    retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
  }

  function pollTimeout(): number {
    return Math.min(typing.pollTimeout(), fetchAt, ...typists.values());
  }

  function timeout(now: number): void {
    typing.timeout(now);
    for (const [userId, until] of typists) if (now >= until) typists.delete(userId);
    if (now >= fetchAt) fetch();
  }

  function snapshot(): ChatSnapshot {
    const old = shown;
    const isKnown = ({ userId }: ChatMember): boolean =>
      areMembersListed || entries.some(({ message }) => message.senderId === userId);
    const next: ChatSnapshot = {
      messages: kept(
        entries.map(({ message }) => message),
        old.messages,
      ),
      members: kept([...present.values()].filter(isKnown), old.members),
      typing: kept(
        [...typists.keys()].filter((userId) => userId !== me),
        old.typing,
      ),
      isTypingElsewhere: me !== null && typists.has(me),
      unread: entries.filter(({ message, isWhole, isRead }) => !message.isOwn && isWhole && !isRead).length,
      hasEarlier: hasEarlier(),
      isLoading: isLoading(),
      isComplete,
      status: matchStatus,
      error: refusal,
    };
    const names = Object.keys(next) as (keyof ChatSnapshot)[];
    if (names.some((name) => next[name] !== old[name])) shown = next;
    return shown as ChatSnapshot;
  }

  function isPending(): boolean {
    return entries.some(({ message: { status } }) => status === "sending" || status === "failed");
  }

  function emit(type: string, data: Fields, id?: string): void {
    outputs.push({ do: "send", type, data: { ...data, [dialect.key]: conversation }, ...(id && { id }) });
  }

  function tellRead(serverId: unknown): void {
    receipt = serverId;
    isReceiptInDoubt = false;
    emit(READ, { message_id: serverId });
  }

  function submit({ message: { id, content, data } }: Entry): void {
    emit(dialect.send, writeMessage(kind, conversation, id, content, data), id);
  }

  function find(id: string): Entry | undefined {
    return entries.find(({ message }) => message.id === id);
  }

  function findStored(serverId: string | undefined): Entry | undefined {
    return entries.find(({ message }) => message.serverId === serverId);
  }

  function addEntry(message: ChatMessage, seq = ++newestSeq): Entry {
    const entry = {
      message,
      key: Infinity,
      rank: 0,
      seq,
      isStored: false,
      isWhole: true,
      isInDoubt: false,
      isStale: false,
      isRead: false,
    };
    entries.push(entry);
    return entry;
  }

  /** Sorts, and forgets the oldest beyond the bound; what is under way goes last. */
  function order(): void {
    // Two infinite keys have no difference, which is NaN.
    entries.sort((a, b) => a.key - b.key || a.rank - b.rank || a.seq - b.seq);
    const excess = entries.length - config.maxMessages;
    if (excess > 0) {
      entries.splice(0, excess);
      begin = undefined;
      mayHaveEarlier = config.canLoadEarlier;
    }
  }

  /** Gives a message whose time only this side knows its place: behind what is there. */
  function place(entry: Entry): void {
    if (entry.key !== Infinity) return;
    order();
    const last = lastOf(entries, ({ key }) => key !== Infinity);
    const isBehind = !last || last.key < entry.message.at;
    entry.key = isBehind ? entry.message.at : last.key;
    entry.rank = isBehind ? 0 : last.rank;
    entry.seq = ++newestSeq;
  }

  function advance(entry: Entry, status: ChatStatus): void {
    if (further(entry.message.status, status) === entry.message.status) return;
    change(entry, { status, error: null });
    // In a match the server tells when.
    if (kind === "session") place(entry);
  }

  function fail(entry: Entry, error: EverwireError): void {
    const { status } = entry.message;
    if (entry.isStored || (status !== "sending" && status !== "sent")) return;
    change(entry, { status: "failed", serverId: null, error });
    entry.isStale = false;
    place(entry);
  }

  /** Takes messages of the server, oldest first. In a session, those up to a time were read before. */
  function arrived(now: number, payloads: readonly unknown[], historyUpTo = -Infinity, isBefore = false): void {
    if (isBefore) oldestSeq -= payloads.length;
    let seq = isBefore ? oldestSeq : newestSeq;
    if (!isBefore) newestSeq += payloads.length;
    for (const payload of payloads) {
      seq++;
      const message = readMessage(kind, payload);
      if (message) stored(now, message, payload as Fields, seq, historyUpTo);
    }
    order();
  }

  function stored(now: number, stored: StoredMessage, data: Fields, seq: number, historyUpTo: number): void {
    const { serverId, clientId, content, senderId, role, isRead } = stored;
    const isMatch = kind === "match";
    /** Whether a member has written it, who chooses its id. */
    const isChosen = !isMatch && role === USER;
    const isSame = ({ message }: Entry): boolean =>
      (message.senderId === senderId || message.senderId === null || !senderId) &&
      ((message.role === USER) === (role === USER) || (message.isOwn && role !== ASSISTANT));
    // Databases round.
    const isElsewhen = ({ message }: Entry): boolean => Math.abs(timeOf(message.data.createdAt) - stored.at) >= 1_000;
    const isMine = (): boolean => senderId !== null && senderId === me && role !== ASSISTANT;
    const namesake = findStored(serverId);
    const isOther = namesake && (isSame(namesake) ? isMatch && isElsewhen(namesake) : !isChosen);
    // A server that has lost its memory gives its ids again, and a member may have taken that of an assistant's message.
    if (isOther) change(namesake, { serverId: null });
    const known =
      (isOther ? undefined : namesake) ??
      entries.find((entry) => entry.message.id === clientId && isSame(entry)) ??
      // A server that does not know the sender's ids says what this user wrote, in order.
      entries.find(
        ({ message, isStored }) =>
          isMatch && isMine() && !clientId && message.isOwn && !isStored && message.content === content,
      );
    if (known && !isSame(known)) return;
    let id = known?.message.id ?? [clientId, serverId].find((name) => name && !find(name));
    if (!id && isChosen) return;
    for (id ??= serverId; !known && find(id); ) id += "'";
    if (known?.message.isOwn && known.message.senderId === null && senderId) identified(senderId);
    const isOwn = isMine() || !!known?.message.isOwn;
    // In a session a sender may send a message again under its id, of which the server then tells another time.
    const isRepeated = !isMatch && known?.isStored && !known.isStale && stored.at > known.key;
    const isTimed = !Number.isNaN(stored.at) && !isRepeated;
    const message: ChatMessage = {
      id,
      serverId,
      content,
      senderId: senderId ?? known?.message.senderId ?? null,
      isOwn,
      role,
      at: isTimed ? stored.at : (known?.message.at ?? now + clockSkew),
      status: isOwn ? further(known?.message.status, isRead ? "read" : "sent") : null,
      error: null,
      data,
    };
    const entry = known ?? addEntry(message, seq);
    if (JSON.stringify(entry.message) !== JSON.stringify(message)) entry.message = message;
    if (isTimed) {
      entry.key = stored.at;
      entry.rank = /^\d{1,15}$/.test(serverId) ? Number(serverId) : 0;
    } else place(entry);
    if (senderId && !entry.isStored) typists.delete(senderId);
    entry.isRead ||= isMatch ? isRead : !entry.isStored && entry.key <= historyUpTo;
    entry.isWhole = entry.isStored = true;
    entry.isInDoubt = entry.isStale = false;
    if (isOwn && isRead) {
      order();
      readUpTo(entries, entry);
    }
  }

  /** A message is being written. */
  function written(now: number, data: Fields): void {
    const [id, content] = [textOf(data.message_id), textOf(data.text) ?? ""];
    if (!id) return;
    const known = find(id);
    if (known?.isWhole) return;
    if (known) change(known, { content, data });
    else {
      const role = textOf(data.role) ?? ASSISTANT;
      const at = now + clockSkew;
      const entry = addEntry({ ...UNKNOWN, id, content, role, at, data });
      entry.isWhole = false;
      place(entry);
    }
    order();
  }

  function read({ message_id, up_to, readAt }: Fields): void {
    const last = findStored(textOf(message_id));
    if (last) readUpTo(entries, last, up_to === true, textOf(readAt));
  }

  function heard(now: number, userId: string, isTyping: boolean): void {
    if (!isTyping) typists.delete(userId);
    else if (typists.has(userId) || typists.size < MOST_USERS) {
      typists.set(userId, now + config.typingRule.clearMs);
    }
  }

  function named(now: number, { session_id, members }: Fields): void {
    if (session_id !== conversation || !Array.isArray(members)) return;
    const old = present;
    present = new Map();
    for (const member of members.map(fieldsOf)) {
      const userId = textOf(member.user_id);
      if (!userId) continue;
      came(userId, member.online === true, old.get(userId));
    }
    areMembersListed = true;
    isJoinOpen = false;
    if (isJoinRefused) refusal = null;
    isJoinRefused = false;
    // What tells this side of the members sends it everything else too.
    if (isAsking) joinSeen(now);
  }

  /** The server may answer pings before it takes a message of the reliable mode. */
  function answered(now: number): void {
    if (isAsking && pongs === 0 && !(isReliableNow && isJoinWaiting)) joinSeen(now);
  }

  /** From here on, everything comes to this side. */
  function joinSeen(now: number): void {
    isJoinSeen = true;
    isAsking = false;
    pongs = 0;
    fetchAgain();
    refetch = fetched = 0;
    cursor = null;
    fetchAt = now;
  }

  function fetchAgain(): void {
    if (!again) return;
    ({ need, knownUpTo } = again);
    again = undefined;
    // A page before what may be fetched anew does not join it.
    earlier = 0;
  }

  /** The clocks differ by something else than was thought, and so do the times that were made of it since. */
  function correct(skew: number): void {
    const by = skew - clockSkew;
    clockSkew = skew;
    for (const entry of entries) {
      const { message, key, isStored, seq } = entry;
      // What has its place keeps it unless a clock was wrong: each pong takes another time.
      if (isStored || (key !== Infinity && (seq <= pongSeq || Math.abs(by) < WRONG_CLOCK_MS))) continue;
      if (key === message.at) entry.key += by;
      change(entry, { at: message.at + by });
    }
    pongSeq = newestSeq;
    order();
  }

  function came(userId: string, online: boolean, known = present.get(userId)): void {
    if (!known && present.size >= MOST_USERS) return;
    present.set(userId, known?.online === online ? known : { userId, online });
  }

  /** The match has another status. */
  function turned(now: number, status: string): void {
    const before = matchStatus;
    matchStatus = status;
    if (status === ACTIVE) {
      refusal = null;
      // The end has ended the membership too.
      if (!isOpen || before === ACTIVE || (before === null && !isJoinRefused)) return;
      isJoinOpen = true;
      entered();
      lost(now, true);
    } else {
      refusal = { message: `the match is ${status}`, code: "not_active" };
      typists.clear();
    }
  }

  function refused(data: Fields): void {
    const { about } = data;
    const { join, send } = dialect;
    if (!isNotElsewhere(data)) return;
    if (about === join) {
      if (!isJoinOpen) return;
      isJoinOpen = false;
      isJoinRefused = true;
      isAsking = false;
      pongs = 0;
      fetchAt = Infinity;
    } else if (about === send) {
      // What has a number is told with its message.
      if ("seq" in data) return;
      const id = textOf(data.message_id);
      // Where each message is announced, in order, the first that is not must be the one that was refused, unless the server names it.
      const entry = entries.find(
        ({ message, isStored, isInDoubt }) =>
          message.isOwn && message.status === "sent" && !isStored && !isInDoubt && (!id || message.id === id),
      );
      if (entry && (id || kind === "match")) {
        fail(entry, config.error("refused", "the server refused the message (see `cause`)", data));
        order();
      }
    } else if (about === READ) receipt = undefined;
    else return;
    complain(data);
  }

  function complain(data: Fields): void {
    const [message, code] = [textOf(data.message), textOf(data.code)];
    if (message !== undefined) refusal = { message, ...(code !== undefined && { code }) };
  }

  /** Something may be missing from here on, unless only the history has to be fetched. */
  function lost(now: number, isJoining: boolean, isWhole = false): void {
    if (!isWhole) {
      wholeAfter = newestSeq;
      const newest = lastOf(entries, isKnown);
      isComplete &&= need === "history" && !newest;
      if (need === "nothing") {
        need = (newest && !isReset) || !config.canLoadEarlier ? "missed" : "history";
        knownUpTo = newest && { ...newest };
      }
    }
    refetch = fetched = 0;
    cursor = null;
    if (!isOpen || !(config.canLoadEarlier || config.canLoadMissed)) return;
    fetchAt = isJoining ? now + JOIN_MS : now;
    if (!isJoining) return;
    isJoinSeen = false;
    isAsking = true;
    // In the reliable mode one more pong is on its way, of the ping that follows the hello.
    pongs = isReliableNow ? 2 : 1;
    for (let i = 0; i < pongs; i++) outputs.push({ do: "send", type: "ping", data: {} });
  }

  function goesForward(): boolean {
    return need === "missed" && config.canLoadMissed;
  }

  function fetch(): void {
    fetchAt = Infinity;
    if (need === "nothing") return;
    refetch = ++lastToken;
    const known = isReset ? null : knownUpTo?.message.serverId;
    const where = goesForward() ? { after: cursor ?? known ?? null } : { before: cursor };
    outputs.push({ do: "load", token: refetch, where });
  }

  function isLoading(): boolean {
    return !!(earlier || refetch);
  }

  function isNotElsewhere(data: Fields): boolean {
    return (data[dialect.key] ?? conversation) === conversation;
  }

  function hasEarlier(): boolean {
    return mayHaveEarlier && hasOpened && need !== "history" && entries.length < config.maxMessages;
  }

  function oldestId(): string | null {
    return entries.find(isKnown)?.message.serverId ?? null;
  }

  function isKnown({ isStored, message }: Entry): boolean {
    return isStored && message.serverId !== null;
  }
  return {
    outputs,
    entered,
    left,
    opened,
    joined,
    closed,
    gap,
    reset,
    identified,
    event,
    write,
    retry,
    discard,
    moved,
    keyPressed,
    stopped: typing.stopped,
    markAsRead,
    loadEarlier,
    loaded,
    failed,
    pollTimeout,
    timeout,
    snapshot,
    isPending,
  };
}

const UNKNOWN = { serverId: null, senderId: null, isOwn: false, status: null, error: null } as const;
const ASSISTANT = "assistant";
const USER = "user";
const ACTIVE = "active";
const LOAD_FAILED = "load_failed";
const MOST_USERS = 1_000;
/** How long the server's answer to the join is waited for. */
const JOIN_MS = 3_000;
const WRONG_CLOCK_MS = 1_000;
/** More than a century: no clock is wrong by that, and a time beyond it may be none of the language's. */
const MAX_SKEW_MS = 4e12;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/** The old list if the new one holds the same. */
function kept<T>(next: readonly T[], old: readonly T[] = []): readonly T[] {
  return old.length === next.length && next.every((item, at) => item === old[at]) ? old : next;
}
