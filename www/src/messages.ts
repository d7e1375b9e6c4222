import type { SentMessage } from "everwire";

export type Delivery =
  | { readonly kind: Exclude<SentMessage["status"], "failed"> }
  | { readonly kind: "failed"; readonly reason: string };

export interface ChatMessage {
  readonly id: string;
  readonly author: "me" | "peer";
  readonly content: string;
  readonly at: number;
  readonly delivery: Delivery;
}

export type MessageAction =
  | {
      readonly kind: "written";
      readonly id: string;
      readonly content: string;
      readonly at: number;
      readonly delivery: Delivery;
    }
  | { readonly kind: "received"; readonly id: string; readonly content: string; readonly at: number }
  | { readonly kind: "queue_flushed" }
  | { readonly kind: "queue_dropped"; readonly reason: string };

export function reduceMessages(messages: readonly ChatMessage[], action: MessageAction): readonly ChatMessage[] {
  switch (action.kind) {
    case "written": {
      const { id, content, at, delivery } = action;
      return [...messages, { id, author: "me", content, at, delivery }];
    }
    case "received": {
      const { id, content, at } = action;
      if (messages.some((message) => message.id === id)) return messages;
      return [...messages, { id, author: "peer", content, at, delivery: { kind: "sent" } }];
    }
    case "queue_flushed":
      return messages.map((message) => (isQueued(message) ? { ...message, delivery: { kind: "sent" } } : message));
    case "queue_dropped": {
      // The queue drops its oldest message first, and messages enter it in the order they were written.
      const oldest = messages.find(isQueued);
      return messages.map((message) =>
        message === oldest ? { ...message, delivery: { kind: "failed", reason: action.reason } } : message,
      );
    }
  }
}

export function isQueued(message: ChatMessage): boolean {
  return message.delivery.kind === "queued";
}
