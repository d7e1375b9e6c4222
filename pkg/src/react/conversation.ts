import type { Chat, ChatKind, ChatMessage, ChatSnapshot, ChatStatus, NativeSocketClient, Snapshot } from "everwire";
import { useMemo, useSyncExternalStore } from "react";
import type { Connection } from "../connection.js";
import { useKeyed } from "./keyed.js";
import { useSelected } from "./useSelected.js";

/** The id of a conversation; with none, and with an empty one, nothing is joined. */
export type ConversationId = string | null | undefined;

/** A conversation in a component: what there is to show, and functions whose identities change with the id alone. */
export interface UseConversation
  extends ChatSnapshot,
    Pick<Chat, "send" | "retry" | "discard" | "keyPressed" | "stopped" | "setTyping" | "markAsRead" | "loadEarlier"> {}

/** A message as {@link UseSocket} shows it: CoLabMatch's own fields, and how far it has come. */
export interface SocketMessage {
  /** Names the message for good: the sender's own id where there is one, else the server's. */
  readonly id: string;
  /** The match. */
  readonly matchId: string;
  /** Who wrote it; empty for this user's while nobody has said who this user is. */
  readonly senderId: string;
  /** The text. */
  readonly content: string;
  /** When, in ISO 8601. */
  readonly createdAt: string;
  /** When it was read, in ISO 8601; where only that it was read is known, the same as `createdAt`. `null` before. */
  readonly readAt: string | null;
  /** How far this user's message has come; `null` for the other's. A `failed` one is sent again by `retry` of `useMatch`. */
  readonly status: ChatStatus | null;
  /** Whether this user wrote it, on whatever device. */
  readonly isOwn: boolean;
}

/** What CoLabMatch's `useSocket(matchId)` gives. */
export interface UseSocket {
  /** The client; `null` until the connection was asked for, and so while rendering on a server. */
  readonly socket: NativeSocketClient | null;
  /** Whether messages flow. */
  readonly connected: boolean;
  /** Whether the other user is connected, on any device. `false` while that is not known. */
  readonly online: boolean;
  /** The conversation, oldest first, with what is under way. */
  readonly messages: readonly SocketMessage[];
  /** Whether the other user types. */
  readonly typing: boolean;
  /** Writes a message, which appears at once. Returns its id. Throws `invalid_data` without a match. */
  readonly sendMessage: (content: string) => string;
  /** Says that the user has pressed a key, or has stopped; repeats and ends are the hook's. */
  readonly sendTyping: (isTyping: boolean) => void;
  /** Marks the other's messages as read up to this one. */
  readonly markAsRead: (messageId: string) => void;
  /**
   * For people: why the server has refused something in this match, until the next connection opens, or that its history cannot be had; else what is wrong with
   * the URL or the token; else, once the client has given up or was told not to come back, why there is no connection. `null` otherwise, also while the client
   * connects, waits for its next attempt, is offline or logged out: `connected` and the client's `phase` tell that.
   */
  readonly error: string | null;
}

/** One conversation for one component, whose store is not asked for before it can be. */
class Conversation {
  readonly #connection: Connection;
  readonly #kind: ChatKind;
  readonly #id: ConversationId;
  #chat: Chat | undefined;
  /** Whether the user does something, which is shown at once. */
  #isActing = false;

  constructor(connection: Connection, kind: ChatKind, id: ConversationId) {
    this.#connection = connection;
    this.#kind = kind;
    this.#id = id;
  }

  get chat(): Chat | undefined {
    if (this.#id) this.#chat ??= this.#connection.client[this.#kind](this.#id);
    return this.#chat;
  }

  readonly getSnapshot = (): ChatSnapshot => (this.#connection.made && this.chat?.getSnapshot()) ?? NOTHING;

  /**
   * Joins before the connection opens. What was left for good is not the conversation any more that others show under this id. Calls the listener at
   * most once a frame, but for what the user does.
   */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#chat = undefined;
    /** Whether there is something to show with the frame that is waited for, if one is. */
    let isDue: boolean | undefined;
    const changed = (): void => {
      if (!this.#isActing) {
        if (isDue !== undefined) {
          isDue = true;
          return;
        }
        isDue = false;
        this.#connection.withFrame(() => {
          const wasDue = isDue;
          isDue = undefined;
          if (wasDue) changed();
        });
      }
      listener();
    };
    const leave = this.chat?.subscribe(changed);
    const release = this.#connection.hold();
    return () => {
      leave?.();
      release();
    };
  };

  readonly actions: Omit<UseConversation, keyof ChatSnapshot> = {
    send: (content, fields) => {
      // The client refuses an empty id with an error of its own class.
      if (!this.#id) this.#connection.client[this.#kind]("");
      return this.#act((chat) => chat.send(content, fields)) as string;
    },
    retry: (id) => this.#act((chat) => chat.retry(id)),
    discard: (id) => this.#act((chat) => chat.discard(id)),
    keyPressed: () => this.chat?.keyPressed(),
    stopped: () => this.chat?.stopped(),
    setTyping: (isTyping) => this.chat?.setTyping(isTyping),
    markAsRead: (id) => this.#act((chat) => chat.markAsRead(id)),
    loadEarlier: async () => this.chat?.loadEarlier(),
  };

  #act<T>(act: (chat: Chat) => T): T | undefined {
    this.#isActing = true;
    try {
      return this.chat && act(this.chat);
    } finally {
      this.#isActing = false;
    }
  }
}

function useConversationStore(
  connection: Connection,
  kind: ChatKind,
  id: ConversationId,
): readonly [Conversation, ChatSnapshot] {
  const conversation = useKeyed(() => new Conversation(connection, kind, id), connection, id);
  return [conversation, useSyncExternalStore(conversation.subscribe, conversation.getSnapshot, nothing)];
}

export function useConversation(connection: Connection, kind: ChatKind, id: ConversationId): UseConversation {
  const [{ actions }, snapshot] = useConversationStore(connection, kind, id);
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}

export function useSocketOf(connection: Connection, matchId: ConversationId): UseSocket {
  const [{ actions }, snapshot] = useConversationStore(connection, "match", matchId);
  const connected = useSelected(connection, isOpen, Object.is);
  const failure = useSelected(connection, failureOf, Object.is);
  const socket = useSyncExternalStore(connection.use, () => connection.made ?? null, noClient);
  const error = snapshot.error?.message ?? failure;
  return useMemo(
    () => ({
      socket,
      connected,
      online: isOtherOnline(snapshot),
      messages: socketMessages(snapshot.messages, matchId ?? ""),
      typing: snapshot.typing.length > 0,
      sendMessage: (content) => actions.send(content),
      sendTyping: actions.setTyping,
      markAsRead: actions.markAsRead,
      error,
    }),
    [socket, connected, snapshot, matchId, actions, error],
  );
}

const noClient = (): null => null;
const isOpen = ({ state }: Snapshot): boolean => state === "open";

function failureOf({ phase, error, close }: Snapshot): string | null {
  if (error) return error.message;
  return phase === "given_up" || phase === "fatal" ? close?.reason || "there is no connection" : null;
}

/** Of the two in a match, this user is connected whenever anything is known of the other. */
function isOtherOnline({ members, messages }: ChatSnapshot): boolean {
  const own = messages.find(({ isOwn, senderId }) => isOwn && senderId !== null)?.senderId;
  const online = members.filter((member) => member.online && member.userId !== own).length;
  return online > (own === undefined && members.length > 1 ? 1 : 0);
}

/** What was made of a message, which changes with it alone; and the same list for the same messages. */
const made = /* @__PURE__ */ new WeakMap<ChatMessage | readonly ChatMessage[], SocketMessage | SocketMessage[]>();

function socketMessages(messages: readonly ChatMessage[], matchId: string): readonly SocketMessage[] {
  const known = made.get(messages) as SocketMessage[] | undefined;
  if (known) return known;
  const list = messages.map((message) => {
    const before = made.get(message) as SocketMessage | undefined;
    const { id, senderId, content, at, status, isOwn, data } = message;
    const createdAt = new Date(at).toISOString();
    const readAt = typeof data["readAt"] === "string" ? data["readAt"] : status === "read" ? createdAt : null;
    const shown = before ?? { id, matchId, senderId: senderId ?? "", content, createdAt, readAt, status, isOwn };
    made.set(message, shown);
    return shown;
  });
  made.set(messages, list);
  return list;
}

/** What there is to see of no conversation, and while rendering on a server. */
const NOTHING: ChatSnapshot = {
  messages: [],
  members: [],
  typing: [],
  isTypingElsewhere: false,
  unread: 0,
  hasEarlier: false,
  isLoading: false,
  isComplete: true,
  status: null,
  error: null,
};

const nothing = (): ChatSnapshot => NOTHING;
