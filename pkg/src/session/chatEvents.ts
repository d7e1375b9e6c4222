import type { ChatKind } from "everwire";

/** The names of what a conversation sends. */
export interface ChatDialect {
  /** The field of a payload that names the conversation. */
  readonly key: "session_id" | "match_id";
  readonly join: string;
  /** Missing where the server knows no event for it. */
  readonly leave?: string;
  readonly send: string;
  readonly typing: string;
  readonly isTyping: string;
}

export const DIALECTS: Readonly<Record<ChatKind, ChatDialect>> = {
  session: {
    key: "session_id",
    join: "join_session",
    leave: "leave_session",
    send: "message_sent",
    typing: "user_typing",
    isTyping: "isTyping",
  },
  match: {
    key: "match_id",
    join: "join_match",
    send: "send_message",
    typing: "typing",
    isTyping: "is_typing",
  },
};

/** Tells a match up to where this user has read. */
export const READ = "read_message";

/** An object of JSON whose fields nobody has looked at. */
export type Fields = Readonly<Record<string, unknown>>;

/** A message as a server tells it. */
export interface StoredMessage {
  readonly serverId: string;
  /** The sender's own id, if the server knows it. */
  readonly clientId: string | null;
  readonly content: string;
  readonly senderId: string | null;
  readonly role: string;
  /** NaN if the server does not say when. */
  readonly at: number;
  readonly isRead: boolean;
}

/** Reads a message; `undefined` if it is none. */
export function readMessage(kind: ChatKind, payload: unknown): StoredMessage | undefined {
  const fields = fieldsOf(payload);
  const [serverId, content] = [textOf(fields.id), textOf(fields.content)];
  if (!serverId || content === undefined) return undefined;
  const isMatch = kind === "match";
  const senderId = textOf(isMatch ? fields.senderId : fields.user_id) || null;
  if (isMatch && senderId === null) return undefined;
  return {
    serverId,
    clientId: (isMatch ? textOf(fields.clientId) : serverId) || null,
    content,
    senderId,
    role: textOf(fields.role) ?? "user",
    at: timeOf(isMatch ? fields.createdAt : fields.timestamp),
    isRead: textOf(fields.readAt) !== undefined,
  };
}

/** The payload that sends a message. */
export function writeMessage(kind: ChatKind, id: string, name: string, content: string, fields: Fields): Fields {
  return kind === "match"
    ? { ...fields, match_id: id, content, client_id: name }
    : { session_id: id, message: { ...fields, id: name, content } };
}

/** What {@link writeMessage} was given; `undefined` if the payload is something else. */
export function readWritten(
  kind: ChatKind,
  data: Fields,
): { conversation: string; id: string; content: string; fields: Fields } | undefined {
  const isMatch = kind === "match";
  const { content: text, [isMatch ? "client_id" : "id"]: name, ...rest } = isMatch ? data : fieldsOf(data.message);
  const { match_id: _, ...ofMatch } = rest;
  const [conversation, id, content] = [data[DIALECTS[kind].key], name, text].map(textOf);
  if (!conversation || !id || content === undefined) return undefined;
  return { conversation, id, content, fields: isMatch ? ofMatch : rest };
}

export const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value ? (value as Fields) : {});

export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Milliseconds since the epoch, NaN if it is no time. One without a zone is in UTC (docs/PROTOCOL.md), and not in the zone of this page. */
export const timeOf = (value: unknown): number => Date.parse((textOf(value) ?? "").replace(/T[\d:.]+$/, "$&Z"));
