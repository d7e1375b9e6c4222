//! Envelopes as a server of the reliable mode writes them (docs/PROTOCOL.md, "Messages").

use everwire::proto::time::FOREVER;
use serde_json::{Map, Value, json};

/// What a welcome says.
#[derive(Debug)]
pub struct Welcome {
    pub epoch: u64,
    pub last: u64,
    pub window: u32,
    /// The size of the largest message that is taken, or [`FOREVER`] for no limit.
    pub max_bytes: u64,
    /// For how long a client id is remembered, or [`FOREVER`].
    pub remember_ms: u64,
    pub streams: Vec<(String, u64)>,
}

/// An envelope without a timestamp.
pub fn envelope(event: &str, data: Value) -> Value {
    let members = [("type", Value::from(event)), ("data", data)];
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The answer to a hello. What is left out has a default, which is also how `window` 128 is said.
pub fn welcome(Welcome { epoch, last, window, max_bytes, remember_ms, streams }: Welcome) -> Value {
    let streams: Map<_, _> = streams.into_iter().map(|(name, offset)| (name, offset.into())).collect();
    let mut data = json!({"version": 1, "epoch": epoch, "last": last, "streams": streams});
    let optional = [
        ("window", (window != DEFAULT_WINDOW).then_some(u64::from(window))),
        ("max_bytes", (max_bytes < FOREVER).then_some(max_bytes)),
        ("remember_ms", (remember_ms < FOREVER).then_some(remember_ms)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            insert(&mut data, name, value);
        }
    }
    envelope("welcome", data)
}

pub fn pong() -> Value {
    envelope("pong", json!({"timestamp": "2026-01-01T12:00:00.000Z"}))
}

pub fn ack(seq: u64) -> Value {
    envelope("ack", json!({"seq": seq}))
}

/// From which position on the connection carries a stream.
pub fn position(stream: &str, offset: u64) -> Value {
    envelope("stream", json!({"stream": stream, "offset": offset}))
}

pub fn reply(seq: u64, result: Value) -> Value {
    envelope("reply", json!({"seq": seq, "result": result}))
}

pub fn receipt(seq: u64, status: &str) -> Value {
    envelope("receipt", json!({"seq": seq, "status": status}))
}

/// An error about a message of this type, which had this number if it had one.
pub fn error(code: &str, about: &str, seq: Option<u64>) -> Value {
    let mut data = json!({"message": "the server cannot do this", "code": code, "about": about});
    if let Some(seq) = seq {
        insert(&mut data, "seq", seq);
    }
    envelope("error", data)
}

/// The same envelope as an event of a stream. `prev` is left out where it is one less.
pub fn stored(mut envelope: Value, stream: &str, offset: u64, prev: u64) -> Value {
    insert(&mut envelope, "stream", stream);
    insert(&mut envelope, "offset", offset);
    if offset != prev + 1 {
        insert(&mut envelope, "prev", prev);
    }
    envelope
}

/// The same envelope as an event that a message of this client id has caused.
pub fn caused_by(mut envelope: Value, client_id: &str, seq: Option<u64>) -> Value {
    insert(&mut envelope, "client_id", client_id);
    if let Some(seq) = seq {
        insert(&mut envelope, "seq", seq);
    }
    envelope
}

pub fn insert(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value.into());
    }
}

const DEFAULT_WINDOW: u32 = 128;

#[cfg(test)]
mod tests {
    use everwire::proto::time::FOREVER;
    use serde_json::json;

    use super::{Welcome, ack, caused_by, stored, welcome};

    #[test]
    fn defaults_are_left_out_and_other_values_are_not() {
        let plain = Welcome {
            epoch: 7,
            last: 3,
            window: 128,
            max_bytes: FOREVER,
            remember_ms: FOREVER,
            streams: vec![("user:1".to_owned(), 12)],
        };
        let data = json!({"version": 1, "epoch": 7, "last": 3, "streams": {"user:1": 12}});
        assert_eq!(welcome(plain), json!({"type": "welcome", "data": data}));
        let bounded = Welcome { epoch: 7, last: 3, window: 1, max_bytes: 500, remember_ms: 9, streams: Vec::new() };
        let said = welcome(bounded);
        assert_eq!(
            (&said["data"]["window"], &said["data"]["max_bytes"], &said["data"]["remember_ms"]),
            (&json!(1), &json!(500), &json!(9))
        );
    }

    #[test]
    fn prev_is_written_where_an_offset_was_skipped() {
        assert_eq!(stored(ack(1), "a", 5, 4).get("prev"), None);
        assert_eq!(stored(ack(1), "a", 5, 3)["prev"], 3);
        assert_eq!(caused_by(ack(1), "me", Some(4))["seq"], 4);
    }
}
