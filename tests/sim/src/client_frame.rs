//! What a client says, as the model server reads it (docs/PROTOCOL.md): strictly, because every frame comes from the shipped encoder.

use everwire::proto::Sequence;
use serde_json::Value;

use crate::application::{DECLARED_JOIN, DECLARED_KEY};
use crate::downward_frame::{Stream, sender_of};

/// A frame from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Up {
    Hello {
        sender: u32,
        /// The positions, which only the first hello of a connection names.
        streams: Option<Vec<(Stream, u64)>>,
    },
    Ping,
    Message {
        /// The number of the message in the model.
        uid: u32,
        sequence: Option<Sequence>,
        is_request: bool,
        /// The room that it enters.
        joins: Option<u32>,
        /// Whether a joined room is entered again: what only the one who judges knows.
        is_rejoin: bool,
    },
}

/// Reads a text; what is wrong with it otherwise.
pub fn read(text: &str, is_rejoin: bool) -> Result<Up, String> {
    let envelope: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let event = envelope["type"].as_str().ok_or("no type")?;
    let data = envelope["data"].as_object().ok_or("no data")?;
    envelope["timestamp"].as_u64().ok_or("no timestamp")?;
    match event {
        "hello" => hello(&envelope, text.len()),
        "ping" if data.is_empty() => Ok(Up::Ping),
        "ping" => Err("a ping that says something".to_owned()),
        _ => {
            let uid = data.get("id").and_then(Value::as_u64).ok_or("no id")? as u32;
            let sequence = sequence(&envelope)?;
            let is_request = match envelope.get("request") {
                None => false,
                Some(Value::Bool(true)) => true,
                Some(other) => return Err(format!("the request {other}")),
            };
            let room = |key| room_of(data.get(key)?.as_str()?);
            let joins = match event {
                "join_session" => Some(room("session_id").ok_or("a room without a name")?),
                "join_match" => Some(room("match_id").ok_or("a room without a name")?),
                DECLARED_JOIN => Some(room(DECLARED_KEY).ok_or("a room without a name")?),
                _ => None,
            };
            Ok(Up::Message { uid, sequence, is_request, joins, is_rejoin })
        }
    }
}

fn sequence(envelope: &Value) -> Result<Option<Sequence>, String> {
    let Some(seq) = envelope.get("seq") else {
        return envelope.get("prev").map_or(Ok(None), |prev| Err(format!("prev {prev} without seq")));
    };
    let seq = seq.as_u64().filter(|seq| (1..=LARGEST).contains(seq)).ok_or(format!("the seq {seq}"))?;
    let prev = match envelope.get("prev") {
        None => seq - 1,
        Some(prev) => prev.as_u64().filter(|prev| prev + 1 != seq).ok_or(format!("the prev {prev} before {seq}"))?,
    };
    Ok(Some(Sequence { seq, prev }))
}

fn hello(envelope: &Value, bytes: usize) -> Result<Up, String> {
    let data = &envelope["data"];
    if data["versions"] != Value::from(vec![1]) {
        return Err("versions that this server does not know".to_owned());
    }
    if envelope.get("seq").is_some() || bytes > LARGEST_HELLO {
        return Err("a hello that is numbered or too large".to_owned());
    }
    let sender = data["client_id"].as_str().and_then(sender_of).ok_or("no client id")?;
    let streams = match data.get("streams") {
        None => None,
        Some(streams) => Some(positions(streams)?),
    };
    Ok(Up::Hello { sender, streams })
}

fn positions(streams: &Value) -> Result<Vec<(Stream, u64)>, String> {
    let named = streams.as_object().ok_or("streams that are no object")?;
    if named.len() > MOST_STREAMS {
        return Err(format!("{} streams", named.len()));
    }
    let position = |(name, offset): (&String, &Value)| {
        let stream = Stream::parse(name).ok_or(format!("the stream \"{name}\""))?;
        let offset = offset.as_u64().filter(|offset| *offset <= LARGEST);
        Ok((stream, offset.ok_or(format!("no position in \"{name}\""))?))
    };
    named.iter().map(position).collect()
}

/// The name of a room for an application.
pub fn room_name(room: u32) -> String {
    format!("room-{room}")
}

fn room_of(name: &str) -> Option<u32> {
    name.strip_prefix("room-")?.parse().ok()
}

/// The largest number that every JSON reader can hold.
const LARGEST: u64 = (1 << 53) - 1;
const LARGEST_HELLO: usize = 64 << 10;
const MOST_STREAMS: usize = 256;

#[cfg(test)]
mod tests {
    use everwire::proto::{Sequence, wire};
    use serde_json::{Value, json};

    use super::{Up, read};
    use crate::downward_frame::{Stream, client_id};

    #[test]
    fn what_the_shipped_encoder_writes_is_read() {
        assert_eq!(read(&wire::ping::<Value>(5), false), Ok(Up::Ping));
        let positions = [(Stream::Room(1).name(), 8)];
        let hello = wire::hello::<Value>(&client_id(3), Some(&positions), 5);
        assert_eq!(read(&hello, false), Ok(Up::Hello { sender: 3, streams: Some(vec![(Stream::Room(1), 8)]) }));
        let data = json!({"id": 4, "session_id": "room-2"});
        let frame = wire::request(&"join_session".to_owned(), data, 5);
        let sequence = Sequence { seq: 9, prev: 6 };
        let message =
            Up::Message { uid: 4, sequence: Some(sequence), is_request: true, joins: Some(2), is_rejoin: false };
        assert_eq!(read(&wire::with_sequence(&frame, sequence), false), Ok(message));
    }

    #[test]
    fn what_no_client_may_say_is_refused() {
        let wrong = [
            "x",
            r#"{"type":"ping","data":{}}"#,
            r#"{"type":"ping","data":{"a":1},"timestamp":1}"#,
            r#"{"type":"a","data":{"id":1},"timestamp":1,"seq":0}"#,
            r#"{"type":"a","data":{"id":1},"timestamp":1,"seq":3,"prev":2}"#,
            r#"{"type":"a","data":{"id":1},"timestamp":1,"prev":2}"#,
            r#"{"type":"hello","data":{"versions":[2],"client_id":"page-000000000001"},"timestamp":1}"#,
            r#"{"type":"hello","data":{"versions":[1],"client_id":"page-000000000001","streams":{"":1}},"timestamp":1}"#,
        ];
        for text in wrong {
            assert!(read(text, false).is_err(), "{text}");
        }
    }
}
