import type { Delivery, ShownMessage } from "../messages";
import type { IncomingMessage } from "./events";

export interface LessonMessage extends ShownMessage {
  /** How much of it is there; a message of the learner is whole from the start. */
  readonly state: "thinking" | "writing" | "whole";
  /** All of an answer that is still being shown as it is written, if it is known already. */
  readonly answer?: string | undefined;
  /** Why the tutor was not asked about it, if that failed. */
  readonly unasked?: string | undefined;
}

export type LessonAction =
  | { readonly kind: "written"; readonly id: string; readonly content: string; readonly at: number }
  | { readonly kind: "moved"; readonly id: string; readonly delivery: Delivery }
  | { readonly kind: "received"; readonly message: IncomingMessage }
  | { readonly kind: "delta"; readonly id: string; readonly text: string | undefined; readonly at: number }
  | {
      readonly kind: "answered";
      readonly id: string;
      readonly content: string;
      readonly at: number;
      /** Whether it is also on its way as it is written. */
      readonly isStreamed: boolean;
    }
  | { readonly kind: "asking"; readonly id: string }
  | { readonly kind: "unasked"; readonly id: string; readonly reason: string }
  | { readonly kind: "cut_off" };

export function reduceLesson(messages: readonly LessonMessage[], action: LessonAction): readonly LessonMessage[] {
  switch (action.kind) {
    case "written": {
      const { id, content, at } = action;
      return [...messages, { id, author: "me", content, at, delivery: { kind: "queued" }, state: "whole" }];
    }
    case "moved":
      return change(messages, action.id, { delivery: action.delivery });
    case "received": {
      const { id, content, role, timestamp } = action.message;
      const author = role === "assistant" ? "peer" : "me";
      return put(messages, { id, author, content, at: Date.parse(timestamp), delivery: null, state: "whole" });
    }
    case "delta": {
      const { id, text, at } = action;
      // The whole message can come by another way, and then says more.
      if (messages.some((known) => known.id === id && known.state === "whole")) return messages;
      const state = text === undefined ? "thinking" : "writing";
      return put(messages, { id, author: "peer", content: text ?? "", at, delivery: null, state });
    }
    case "answered": {
      const { id, content, at, isStreamed } = action;
      const whole: LessonMessage = { id, author: "peer", content, at, delivery: null, state: "whole" };
      if (!isStreamed) return put(messages, whole);
      if (messages.some((known) => known.id === id)) return change(messages, id, { answer: content });
      return [...messages, { ...whole, content: "", state: "thinking", answer: content }];
    }
    case "asking":
      return change(messages, action.id, { unasked: undefined });
    case "unasked":
      return change(messages, action.id, { unasked: action.reason });
    case "cut_off":
      // Parts are not sent again. The whole message is, to those who do not have it.
      return messages
        .map((message) => ({ ...message, ...(message.answer && { content: message.answer, state: "whole" as const }) }))
        .filter(({ state }) => state === "whole");
  }
}

/** Adds a message, or what is new of one that is there. */
function put(messages: readonly LessonMessage[], message: LessonMessage): readonly LessonMessage[] {
  const { id, content, state } = message;
  if (messages.some((known) => known.id === id)) return change(messages, id, { content, state });
  return [...messages, message];
}

function change(
  messages: readonly LessonMessage[],
  id: string,
  news: Partial<LessonMessage>,
): readonly LessonMessage[] {
  return messages.map((message) => (message.id === id ? { ...message, ...news } : message));
}
