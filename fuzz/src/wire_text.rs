//! The text of a frame as the shipped decoder reads it, and texts as the shipped encoder writes them.

use everwire::proto::Sequence;
use everwire::proto::wire::{self, Frame, FrameKind, ReceiptStatus, StreamOffset, Welcome, decode, parse};
use everwire_kit::CLIENT_ID;
use serde_json::{Value, json};

/// Decodes and encodes; panics when something does not hold.
pub fn check(text: &str) {
    // With the feature `raw_value`, which another target needs, this member has a meaning of its own to `serde_json`.
    if text.contains("$serde_json") {
        return;
    }
    let client_id = CLIENT_ID.to_owned();
    let value = serde_json::from_str::<Value>(text).ok();
    let envelope = value.filter(|value| value.get("type").is_some_and(Value::is_string));
    assert_eq!(parse(text), envelope, "an envelope is an object with a string type");
    encode(text, envelope.as_ref());
    let Some(envelope) = envelope else { return };
    let frame = decode(&envelope, &client_id);
    check_ranges(&frame);
    if frame.kind != FrameKind::Malformed {
        assert_eq!(decode(&canonical(&frame), &client_id), frame, "written anew");
    }
    let again = parse(&envelope.to_string()).map(|again| decode(&again, &client_id));
    assert_eq!(again, Some(frame), "read, written and read again");
}

fn check_ranges(Frame { kind, place, is_own }: &Frame<String>) {
    assert!(!is_own || place.is_some(), "only stored events are anybody's own");
    let is_number = |number: u64| (1..=LARGEST).contains(&number);
    if let Some(StreamOffset { offset, prev, .. }) = place {
        assert!(is_number(*offset) && prev < offset);
    }
    match kind {
        FrameKind::Event | FrameKind::Pong | FrameKind::HelloRefused | FrameKind::Malformed => {}
        FrameKind::Welcome(Welcome { epoch, last, window, max_bytes, remember_ms, streams }) => {
            assert!(place.is_none() && is_number(*epoch) && *last <= LARGEST && (1..=1_024).contains(window));
            assert!([*max_bytes, *remember_ms].into_iter().all(|limit| is_number(limit) || limit == u64::MAX));
            assert!(streams.iter().all(|(_, position)| *position <= LARGEST));
        }
        FrameKind::Ack { seq } => assert!(*seq <= LARGEST),
        FrameKind::Refused { seq } | FrameKind::Reply { seq } | FrameKind::Receipt { seq, .. } => {
            assert!(is_number(*seq));
        }
        FrameKind::Position { offset, .. } => assert!(place.is_none() && *offset <= LARGEST),
    }
}

/// The frame as a server would write it that leaves nothing out.
fn canonical(Frame { kind, place, is_own }: &Frame<String>) -> Value {
    let mut frame = match kind {
        FrameKind::Event | FrameKind::Malformed => json!({ "type": "notification" }),
        FrameKind::Pong => json!({ "type": "pong" }),
        FrameKind::HelloRefused => json!({ "type": "error", "data": { "about": "hello" } }),
        FrameKind::Welcome(welcome) => json!({ "type": "welcome", "data": canonical_welcome(welcome) }),
        FrameKind::Ack { seq } => json!({ "type": "ack", "data": { "seq": seq } }),
        FrameKind::Refused { seq } => json!({ "type": "error", "data": { "seq": seq } }),
        FrameKind::Reply { seq } => json!({ "type": "reply", "data": { "seq": seq } }),
        FrameKind::Receipt { seq, status } => {
            let status = if *status == ReceiptStatus::Read { "read" } else { "delivered" };
            json!({ "type": "receipt", "data": { "seq": seq, "status": status } })
        }
        FrameKind::Position { stream, offset } => {
            json!({ "type": "stream", "data": { "stream": stream, "offset": offset } })
        }
    };
    if let Some(StreamOffset { stream, offset, prev }) = place {
        (frame["stream"], frame["offset"], frame["prev"]) = (json!(stream), json!(offset), json!(prev));
    }
    if *is_own {
        frame["client_id"] = CLIENT_ID.into();
    }
    frame
}

fn canonical_welcome(welcome: &Welcome<String>) -> Value {
    let Welcome { epoch, last, window, max_bytes, remember_ms, streams } = welcome;
    let streams: Value = streams.iter().map(|(name, position)| (name.clone(), Value::from(*position))).collect();
    let mut data = json!({ "version": 1, "epoch": epoch, "last": last, "window": window, "streams": streams });
    for (limit, value) in [("max_bytes", max_bytes), ("remember_ms", remember_ms)] {
        if *value <= LARGEST {
            data[limit] = (*value).into();
        }
    }
    data
}

/// Whatever an application sends is written as JSON that says the same, with its place if it is numbered.
fn encode(text: &str, payload: Option<&Value>) {
    let data = payload.cloned().unwrap_or_else(|| json!({ "text": text }));
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let is_request = text.len().is_multiple_of(2);
    let mut expected = json!({ "type": text, "data": data, "timestamp": 1 });
    if is_request {
        expected["request"] = true.into();
    }
    let write = if is_request { wire::request::<Value> } else { wire::message };
    let message = write(&text.to_owned(), data, 1);
    assert_eq!(read(&message), expected);
    let seq = 2 + text.len() as u64;
    for prev in [0, seq - 2, seq - 1] {
        let numbered = wire::with_sequence(&message, Sequence { seq, prev });
        expected["seq"] = seq.into();
        match expected.as_object_mut() {
            Some(members) if prev == seq - 1 => _ = members.remove("prev"),
            _ => expected["prev"] = prev.into(),
        }
        assert_eq!(read(&numbered), expected, "{numbered}");
    }
    let positions = [(text.to_owned(), seq)];
    let hello = wire::hello::<Value>(&text.to_owned(), Some(&positions), 1);
    let data = json!({ "versions": [1], "client_id": text, "streams": { text: seq } });
    assert_eq!(read(&hello), json!({ "type": "hello", "data": data, "timestamp": 1 }));
}

/// docs/PROTOCOL.md: the largest number.
const LARGEST: u64 = (1 << 53) - 1;
