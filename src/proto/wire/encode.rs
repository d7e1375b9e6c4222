//! From what a client says to the text of its frames.

use super::decode::VERSION;
use super::value::{Field, Text, Value, Word};
use crate::proto::message::Sequence;

/// An event of the application. `timestamp` is in milliseconds since the Unix epoch.
pub fn message<V: Value>(event: &V::Text, data: V, timestamp: u64) -> V::Text {
    of_application(event, data, timestamp).to_text()
}

/// An event of the application that asks for a reply.
pub fn request<V: Value>(event: &V::Text, data: V, timestamp: u64) -> V::Text {
    of_application(event, data, timestamp).with_true(Field::Request).to_text()
}

/// The question whether the server is there.
pub fn ping<V: Value>(timestamp: u64) -> V::Text {
    envelope(Word::Ping, V::empty(), timestamp)
}

/// The question for the reliable mode, with the positions of this client unless it only names another client id.
pub fn hello<V: Value>(client_id: &V::Text, positions: Option<&[(V::Text, u64)]>, timestamp: u64) -> V::Text {
    let data = V::empty().with_list_of(Field::Versions, VERSION).with_text(Field::ClientId, client_id);
    let data = match positions {
        Some(positions) => data.with_counts(Field::Streams, positions),
        None => data,
    };
    envelope(Word::Hello, data, timestamp)
}

/// The frame of a message with its place among the messages of its sender.
pub fn with_sequence<T: Text>(frame: &T, Sequence { seq, prev }: Sequence) -> T {
    let members = [(Field::Seq, seq), (Field::Prev, prev)];
    let is_next = seq.checked_sub(1) == Some(prev);
    frame.with_counts(if is_next { &members[..1] } else { &members })
}

fn of_application<V: Value>(event: &V::Text, data: V, timestamp: u64) -> V {
    V::empty().with_text(Field::Type, event).with(Field::Data, data).with_count(Field::Timestamp, timestamp)
}

fn envelope<V: Value>(word: Word, data: V, timestamp: u64) -> V::Text {
    V::empty().with_word(Field::Type, word).with(Field::Data, data).with_count(Field::Timestamp, timestamp).to_text()
}
