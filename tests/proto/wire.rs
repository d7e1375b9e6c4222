//! Frames as the tests write and read them.

use everwire::proto::{FrameKind, Inbound, Message, Purpose, StreamOffset};
use serde_json::{Value, json};

/// An envelope from the server.
#[derive(Clone, Debug)]
pub struct Envelope(pub Value);

impl Inbound for Envelope {
    fn news(&self) -> FrameKind {
        let Self(frame) = self;
        let data = &frame["data"];
        let number = |field: &str| data[field].as_u64();
        match (frame["type"].as_str(), number("seq")) {
            (Some("pong"), _) => FrameKind::Pong,
            (Some("welcome"), _) => FrameKind::Welcome {
                epoch: number("epoch").expect("an epoch"),
                last: number("last").expect("a number"),
                window: number("window").map_or(128, |window| u32::try_from(window).expect("a window")),
                max_bytes: number("max_bytes").unwrap_or(u64::MAX),
                remember_ms: number("remember_ms").unwrap_or(u64::MAX),
            },
            (Some("error"), None) if data["about"] == "hello" => FrameKind::HelloRefused,
            (Some("error"), Some(seq)) => FrameKind::Refused { seq },
            (Some("ack"), Some(seq)) => FrameKind::Ack { seq },
            (Some("reply"), Some(seq)) => FrameKind::Reply { seq },
            (Some("receipt"), Some(seq)) => FrameKind::Receipt { seq },
            (Some("ack" | "reply" | "receipt"), None) => FrameKind::Malformed,
            _ => FrameKind::Event,
        }
    }

    fn place(&self) -> Option<StreamOffset> {
        let Self(frame) = self;
        let (stream, offset) = (frame["stream"].as_str()?, frame["offset"].as_u64()?);
        Some(StreamOffset { stream: stream_number(stream), offset, prev: frame["prev"].as_u64().unwrap_or(offset - 1) })
    }
}

/// The number that a driver would give to the stream: `user` is 0, `s1` is 1, and so on.
pub fn stream_number(name: &str) -> u32 {
    if name == "user" { 0 } else { name.trim_start_matches('s').parse().expect("a stream such as `s1`") }
}

/// The name of the stream with this number.
pub fn stream_name(number: u32) -> String {
    if number == 0 { "user".to_owned() } else { format!("s{number}") }
}

/// The message that an application's `send(event, data)` becomes.
pub fn message(event: &str, data: Value) -> Box<Message<String>> {
    let session = |key: &str| format!("{key}={}", data[key]);
    let purpose = match event {
        "ping" | "user_typing" | "typing" => Purpose::Volatile,
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
