// Generated from the Rust rules by `cargo xtask codegen`.

import type { PurposeName } from "../codes.js";

/** What is special about sending one event type. Every other type is ordinary and replaces nothing. */
export interface EventRule {
  readonly purpose: PurposeName;
  /** The field of the payload that names the session that it is about. */
  readonly session?: string;
  /** Whether it replaces a waiting one about the same session. */
  readonly coalesces?: true;
  /** The field of the payload that says which of two says more, if it holds digits alone. */
  readonly rank?: string;
}

export const RULES: { readonly [type: string]: EventRule | undefined } = {
  ping: { purpose: "volatile" },
  user_typing: { purpose: "volatile", session: "session_id", coalesces: true },
  typing: { purpose: "volatile", session: "match_id", coalesces: true },
  read_message: { purpose: "ordinary", session: "match_id", coalesces: true, rank: "message_id" },
  join_session: { purpose: "join", session: "session_id" },
  leave_session: { purpose: "leave", session: "session_id" },
  join_match: { purpose: "join", session: "match_id" },
};
