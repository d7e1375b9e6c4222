import type { EverwireError } from "everwire";
import type { TypingRule } from "./typing.js";

/** How a conversation is kept. */
export interface ChatConfig {
  readonly maxMessages: number;
  /** Whether the application can fetch pages. */
  readonly canLoadEarlier: boolean;
  /** Whether the application can fetch what came after a message. */
  readonly canLoadMissed: boolean;
  readonly typingRule: TypingRule;
  readonly error: (code: "refused" | "unconfirmed", message: string, cause?: unknown) => EverwireError;
}
