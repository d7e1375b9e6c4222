import type { MessageStatus } from "everwire";
import type { StoredMessage } from "./events";

/** How far a message has come, as its sender knows it. */
export type Delivery =
  | { readonly kind: Exclude<MessageStatus, "failed" | "refused" | "expired" | "cancelled"> }
  | { readonly kind: "failed"; readonly reason: string };

export interface ChatMessage {
  /** The sender's own id, where there is one: the server's is known only later. */
  readonly id: string;
  /** The server's id; 0 until the server has stored it. */
  readonly storedId: number;
  readonly author: "me" | "peer";
  readonly content: string;
  readonly at: number;
  /** `null` for messages of the peer. */
  readonly delivery: Delivery | null;
}

export type MessageAction =
  | { readonly kind: "written"; readonly id: string; readonly content: string; readonly at: number }
  | { readonly kind: "moved"; readonly id: string; readonly delivery: Delivery }
  | { readonly kind: "stored"; readonly author: "me" | "peer"; readonly message: StoredMessage }
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
      const { author, message } = action;
      const id = message.clientId ?? message.id;
      const storedId = Number(message.id);
      if (messages.some((known) => known.id === id)) {
        return messages.map((known) => (known.id === id ? { ...known, storedId } : known));
      }
      const delivery: Delivery | null = author === "me" ? { kind: message.readAt ? "read" : "acknowledged" } : null;
      const { content, createdAt } = message;
      return [...messages, { id, storedId, author, content, at: Date.parse(createdAt), delivery }];
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
