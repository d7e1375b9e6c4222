import type { MessageStatus } from "everwire";
import type { StoredMessage } from "./events";

/** How far a message has come, as its sender knows it. */
export type Delivery =
  | { readonly kind: Exclude<MessageStatus, "failed" | "refused" | "expired" | "cancelled"> }
  | { readonly kind: "failed"; readonly reason: string };

/** A message as it is shown. */
export interface ShownMessage {
  /** The sender's own id, where there is one: the server's is known only later. */
  readonly id: string;
  readonly author: "me" | "peer";
  readonly content: string;
  readonly at: number;
  /** `null` for messages of others, and of other devices. */
  readonly delivery: Delivery | null;
}

export interface ChatMessage extends ShownMessage {
  /** The server's id; 0 until the server has stored it. */
  readonly storedId: number;
}

export type MessageAction =
  | { readonly kind: "written"; readonly id: string; readonly content: string; readonly at: number }
  | { readonly kind: "moved"; readonly id: string; readonly delivery: Delivery }
  | { readonly kind: "stored"; readonly userId: string; readonly message: StoredMessage }
  | { readonly kind: "earlier"; readonly userId: string; readonly page: readonly StoredMessage[] }
  | { readonly kind: "read_by_peer"; readonly upTo: number };

export function reduceMessages(messages: readonly ChatMessage[], action: MessageAction): readonly ChatMessage[] {
  switch (action.kind) {
    case "written": {
      const { id, content, at } = action;
      return [...messages, { id, storedId: 0, author: "me", content, at, delivery: { kind: "queued" } }];
    }
    case "moved":
      return messages.map((message) =>
        message.id === action.id ? { ...message, delivery: action.delivery } : message,
      );
    case "stored": {
      const { userId, message } = action;
      const { id, storedId } = shown(message, userId);
      if (messages.some((known) => known.id === id)) {
        return messages.map((known) => (known.id === id ? { ...known, storedId } : known));
      }
      return [...messages, shown(message, userId)];
    }
    case "earlier": {
      const known = new Set(messages.map(({ id }) => id));
      const page = action.page.map((message) => shown(message, action.userId));
      return [...page.filter(({ id }) => !known.has(id)), ...messages];
    }
    case "read_by_peer":
      // Of what an earlier page or another tab has written, this is the only news.
      return messages.map((message) =>
        message.delivery?.kind === "acknowledged" && message.storedId > 0 && message.storedId <= action.upTo
          ? { ...message, delivery: { kind: "read" } }
          : message,
      );
  }
}

function shown(message: StoredMessage, userId: string): ChatMessage {
  const { content, createdAt, readAt } = message;
  const author = message.senderId === userId ? "me" : "peer";
  return {
    id: message.clientId ?? message.id,
    storedId: Number(message.id),
    author,
    content,
    at: Date.parse(createdAt),
    delivery: author === "me" ? { kind: readAt ? "read" : "acknowledged" } : null,
  };
}
