//! Messages as applications send them.

use everwire::events::rules::classify;
use everwire::proto::{Message, wire};
use serde_json::json;

use crate::Json;

/// The message that an application's `send(event, data)` becomes.
pub fn message(event: &str, data: Json) -> Box<Message<String>> {
    envelope(event, data, wire::message)
}

/// An ordinary message that says `text`.
pub fn note(text: &str) -> Box<Message<String>> {
    message("note", json!({ "text": text }))
}

/// A request that says `text` and waits so long for its reply.
pub fn request(text: &str, within_ms: u64) -> Box<Message<String>> {
    let mut request = envelope("note", json!({ "text": text }), wire::request);
    request.policy.reply_within_ms = Some(within_ms);
    request
}

/// An ordinary message whose frame takes exactly `bytes` bytes.
pub fn note_of(bytes: usize) -> Box<Message<String>> {
    let empty = note("").frame.len();
    note(&"x".repeat(bytes.checked_sub(empty).expect("an envelope needs more room")))
}

/// What a frame says, short enough to compare: `note hello`, `join_session maths`.
pub fn label(frame: &str) -> String {
    let envelope: Json = serde_json::from_str(frame).expect("a frame is JSON");
    let event = envelope["type"].as_str().unwrap_or_default();
    let words = ["text", "session_id", "match_id"].iter().find_map(|key| envelope["data"][key].as_str());
    match words {
        Some(words) => format!("{event} {words}"),
        None => event.to_owned(),
    }
}

fn envelope(event: &str, data: Json, write: fn(&String, Json, u64) -> String) -> Box<Message<String>> {
    let rules = classify(event, &[], |field| data[field].as_str().map(str::to_owned));
    let frame = write(&event.to_owned(), data, SENT_AT);
    let bytes = u32::try_from(frame.len()).expect("test frames are short");
    let mut message = Message::new(frame, bytes, rules.purpose);
    (message.policy.coalesce, message.policy.rank) = (rules.coalesce, rules.rank);
    message
}

const SENT_AT: u64 = 1_700_000_000_000;
