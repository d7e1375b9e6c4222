// Generated from the Rust enums by `cargo xtask codegen`.

export type ContinuityName = "first" | "recovered" | "lost";

export type FlawName =
  | "not_engine_io"
  | "wrong_direction"
  | "bad_handshake"
  | "unknown_packet"
  | "no_session_id"
  | "bad_namespace"
  | "negative_id"
  | "id_too_large"
  | "id_missing"
  | "payload_missing"
  | "payload_not_json"
  | "bad_payload"
  | "reserved_event"
  | "bad_attachment_count"
  | "too_many_attachments"
  | "bad_placeholder"
  | "attachment_missing"
  | "attachments_too_large"
  | "unexpected_binary"
  | "second_handshake"
  | "no_handshake"
  | "foreign_namespace"
  | "second_answer"
  | "left_namespace";
