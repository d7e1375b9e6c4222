// Generated from the Rust enums by `cargo xtask codegen`.

export type PhaseName =
  | "idle"
  | "connecting"
  | "open"
  | "closing"
  | "waiting"
  | "offline"
  | "logged_out"
  | "given_up"
  | "fatal";

export type CloseCause =
  | "connect_timeout"
  | "pong_timeout"
  | "never_answered"
  | "no_welcome"
  | "close_timeout"
  | "token_failed"
  | "socket_refused"
  | "disconnected"
  | "replaced"
  | "page_cached"
  | "ack_timeout"
  | "protocol_violation"
  | "event_lost";

export type ProtocolViolation =
  | "never_sent"
  | "ack_taken_back"
  | "old_epoch"
  | "unexpected_welcome"
  | "repeated_event"
  | "unexpected_reply"
  | "malformed";

export type DropName =
  | "overflow"
  | "expired"
  | "not_open"
  | "replaced"
  | "unconfirmed"
  | "unsupported"
  | "forgotten"
  | "too_large"
  | "poisoned"
  | "outcome_unknown";

export type FailureName = "timed_out" | "abandoned";

export type ReceiptName = "delivered" | "read";

export type OverflowName = "drop-oldest" | "drop-newest" | "reject";

export type PurposeName = "ordinary" | "volatile" | "join" | "leave";
