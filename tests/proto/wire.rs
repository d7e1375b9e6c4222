//! Frames as the tests write and read them.

use everwire::proto::{Inbound, Message, News, Purpose};
use serde_json::{Value, json};

/// An envelope from the server.
#[derive(Clone, Debug)]
pub struct Envelope(pub Value);

impl Inbound for Envelope {
    fn news(&self) -> News {
        if self.0["type"] == "pong" { News::Pong } else { News::Event }
    }
}

/// The message that an application's `send(event, data)` becomes.
pub fn message(event: &str, data: Value) -> Box<Message<String>> {
    let session = |key: &str| format!("{key}={}", data[key]);
    let purpose = match event {
        "ping" | "user_typing" | "typing" => Purpose::Ephemeral,
        _ if !["session_id", "match_id"].iter().any(|key| data[key].is_string()) => Purpose::Ordinary,
        "join_session" => Purpose::Join(session("session_id")),
        "leave_session" => Purpose::Leave(session("session_id")),
        "join_match" => Purpose::Join(session("match_id")),
        _ => Purpose::Ordinary,
    };
    let frame = json!({ "type": event, "data": data, "timestamp": 1_700_000_000_000_u64 }).to_string();
    let bytes = u32::try_from(frame.len()).expect("test frames are short");
    Message::new(frame, bytes, purpose)
}

/// An ordinary message that says `text`.
pub fn note(text: &str) -> Box<Message<String>> {
    message("note", json!({ "text": text }))
}

/// An ordinary message whose frame takes exactly `bytes` bytes.
pub fn note_of(bytes: usize) -> Box<Message<String>> {
    let empty = note("").frame.len();
    note(&"x".repeat(bytes.checked_sub(empty).expect("an envelope needs more room")))
}

/// What a frame says, short enough to compare: `note hello`, `join_session maths`.
pub fn label(frame: &str) -> String {
    let envelope: Value = serde_json::from_str(frame).expect("a frame is JSON");
    let event = envelope["type"].as_str().unwrap_or_default();
    let words = ["text", "session_id", "match_id"].iter().find_map(|key| envelope["data"][key].as_str());
    match words {
        Some(words) => format!("{event} {words}"),
        None => event.to_owned(),
    }
}
