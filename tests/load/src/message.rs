//! The frames of the generator, and how it recognises its own messages.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What a chat message says about itself in its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which stage of the run sent it.
    pub stage: u32,
    /// The session it was sent to.
    pub session: usize,
    /// Who in the session sent it.
    pub seat: usize,
    /// Its number in the session and the stage, from 0.
    pub number: u32,
    /// When it was to be sent, in microseconds since the start.
    pub due_us: u64,
}

/// What a server's frame means to the generator.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A chat message.
    Message(Stamp),
    /// The answer to a ping.
    Pong,
    /// The answer to a hello.
    Welcome(Welcome),
    /// Everything up to this number is processed.
    Acknowledgement(u64),
    /// A stream begins, or goes on behind events that cannot be had any more.
    Position,
    /// A complaint of the server, or what cannot be read.
    Trouble(String),
    /// Anything else.
    Other,
}

/// What a server says of itself and of what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Welcome {
    /// The number that was processed last.
    pub last: u64,
    /// How many messages may be unacknowledged.
    pub window: usize,
}

/// `hello`, always with the same client id for a client.
pub fn hello(client: usize) -> String {
    format!(
        r#"{{"type":"hello","data":{{"versions":[1],"client_id":"load-client-{client:08}","streams":{{}}}},"timestamp":0}}"#
    )
}

/// `join_session`. What a group of clients joins is joined by nobody else.
pub fn join(group: &str, session: usize) -> String {
    format!(r#"{{"type":"join_session","data":{{"session_id":"{group}-{session}"}},"timestamp":0}}"#)
}

/// `ping`
pub fn ping() -> String {
    r#"{"type":"ping","data":{},"timestamp":0}"#.to_owned()
}

/// `message_sent`, with a sentence of chat as its content.
pub fn chat(group: &str, stamp: Stamp) -> String {
    envelope(group, stamp, "")
}

/// The same with a number.
pub fn numbered_chat(group: &str, stamp: Stamp, seq: u64) -> String {
    envelope(group, stamp, &format!(r#","seq":{seq}"#))
}

fn envelope(group: &str, stamp: Stamp, more: &str) -> String {
    let Stamp { stage, session, seat, number, due_us } = stamp;
    format!(
        r#"{{"type":"message_sent","data":{{"session_id":"{group}-{session}","message":{{"id":"{stage}.{session}.{seat}.{number}.{due_us}","content":"{CONTENT}"}}}},"timestamp":0{more}}}"#
    )
}

/// A message with a number that changes nothing but `last`, and is sent back.
pub fn numbered_only(seq: u64) -> String {
    format!(r#"{{"type":"echo","data":{{"text":"hello"}},"timestamp":0,"seq":{seq}}}"#)
}

/// `join_session` with a number.
pub fn numbered_join(group: &str, session: usize, seq: u64) -> String {
    format!(r#"{{"type":"join_session","data":{{"session_id":"{group}-{session}"}},"timestamp":0,"seq":{seq}}}"#)
}

/// Reads a frame.
pub fn read(text: &str) -> Frame {
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
        return Frame::Trouble("a frame that is not an envelope".to_owned());
    };
    match (envelope.kind, envelope.data.map(RawValue::get)) {
        ("message_received", Some(data)) => serde_json::from_str::<Received<'_>>(data)
            .ok()
            .and_then(|received| stamp(received.message.id))
            .map_or_else(|| Frame::Trouble("a message without its stamp".to_owned()), Frame::Message),
        ("pong", _) => Frame::Pong,
        ("stream", _) => Frame::Position,
        ("welcome", Some(data)) => data_or_trouble(data, "a welcome that cannot be read", Frame::Welcome),
        ("ack", Some(data)) => {
            data_or_trouble(data, "an acknowledgement that cannot be read", |Ack { seq }| Frame::Acknowledgement(seq))
        }
        ("error", data) => Frame::Trouble(format!("error event {}", data.unwrap_or_default())),
        _ => Frame::Other,
    }
}

fn data_or_trouble<'a, T: Deserialize<'a>>(data: &'a str, trouble: &str, frame: impl FnOnce(T) -> Frame) -> Frame {
    serde_json::from_str(data).map_or_else(|_| Frame::Trouble(trouble.to_owned()), frame)
}

fn stamp(id: &str) -> Option<Stamp> {
    let mut parts = id.split('.');
    let stamp = Stamp {
        stage: parts.next()?.parse().ok()?,
        session: parts.next()?.parse().ok()?,
        seat: parts.next()?.parse().ok()?,
        number: parts.next()?.parse().ok()?,
        due_us: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(stamp)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Ack {
    seq: u64,
}

#[derive(Deserialize)]
struct Received<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    id: &'a str,
}

const CONTENT: &str = "Shall we go through the second part again? I think I lost the thread about there.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_way_there_and_back() {
        let sent = Stamp { stage: 3, session: 199, seat: 49, number: 12, due_us: 61_000_017 };
        let envelope: serde_json::Value = serde_json::from_str(&chat("load", sent)).unwrap();
        let message = &envelope["data"]["message"];
        let received = format!(r#"{{"type":"message_received","data":{{"message":{message}}},"timestamp":1}}"#);
        assert_eq!(read(&received), Frame::Message(sent));
    }

    #[test]
    fn complaints_are_told_apart_from_events_nobody_waits_for() {
        assert!(matches!(read(r#"{"type":"error","data":{"message":"no"}}"#), Frame::Trouble(_)));
        assert!(matches!(read("{"), Frame::Trouble(_)));
        assert_eq!(read(r#"{"type":"pong"}"#), Frame::Pong);
        assert_eq!(read(r#"{"type":"connected","data":{}}"#), Frame::Other);
    }
}
