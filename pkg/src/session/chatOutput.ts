import type { Fields } from "./chatEvents.js";

/** What a conversation asks for. */
export type ChatOutput =
  /** Send an event; `id` names the message that is in it. */
  | { readonly do: "send"; readonly type: string; readonly data: Fields; readonly id?: string }
  /** Fetch the page before a message, the newest page without one, or what came after a message. */
  | {
      readonly do: "load";
      readonly token: number;
      readonly where: { readonly before: string | null } | { readonly after: string | null };
    };
