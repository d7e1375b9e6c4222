//! From a frame of the server to what it means.

use alloc::vec::Vec;

use super::value::{Field, Value, Word};
use crate::proto::coded::coded;
use crate::proto::time::FOREVER;

/// A frame of the reliable mode.
///
/// Exhaustive: who reads what it means has to heed where it is stored and whose doing it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<T> {
    /// What it means to the state machine.
    pub kind: FrameKind<T>,
    /// Where the event is stored, if it is.
    pub place: Option<StreamOffset<T>>,
    /// Whether it tells the user's devices what this very client has done.
    pub is_own: bool,
}

/// What a frame means to the state machine (docs/PROTOCOL.md).
///
/// Exhaustive: a kind of frame that is left out would be lost in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameKind<T> {
    /// An event for the application.
    Event,
    /// The answer to a ping.
    Pong,
    /// The answer to a hello.
    Welcome(Welcome<T>),
    /// The server does not know the reliable mode.
    HelloRefused,
    /// Everything up to a sequence number is processed.
    Ack {
        /// The sequence number.
        seq: u64,
    },
    /// The server has refused a message, which counts as processed.
    Refused {
        /// The message's sequence number.
        seq: u64,
    },
    /// The reply to a request.
    Reply {
        /// The request's sequence number.
        seq: u64,
    },
    /// A message has come to another user.
    Receipt {
        /// The message's sequence number.
        seq: u64,
        /// How far it has come.
        status: ReceiptStatus,
    },
    /// From which position on the connection carries a stream.
    Position {
        /// The stream.
        stream: T,
        /// The position: the next event comes after it.
        offset: u64,
    },
    /// Fields of the reliable mode that are missing or wrong.
    Malformed,
}

coded! {
    /// How far a message has come beyond the server. It moves forward only, and a server may leave the first out.
    #[non_exhaustive]
    pub enum ReceiptStatus {
        /// Another user has it.
        Delivered = "delivered",
        /// Another user has read it.
        Read = "read",
    }
}

/// What a server answers to a hello. Exhaustive, as [`FrameKind`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome<T> {
    /// The life of the server's memory.
    pub epoch: u64,
    /// The highest sequence number that the server has processed.
    pub last: u64,
    /// How many messages may be unacknowledged, from 1 to 1 024.
    pub window: u32,
    /// The size of the largest message that the server takes, in bytes.
    pub max_bytes: u64,
    /// How long the server remembers `last` after the last connection of a client id, in milliseconds.
    pub remember_ms: u64,
    /// The streams that the connection carries, each with the position from which it does.
    pub streams: Vec<(T, u64)>,
}

/// Where an event stands in its stream. Exhaustive: all three numbers decide whether it is the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOffset<T> {
    /// The stream.
    pub stream: T,
    /// The event's number in the stream.
    pub offset: u64,
    /// The number of the event before it.
    pub prev: u64,
}

/// Reads a frame for a client of this id. Every frame has a meaning; what is wrong with one is [`FrameKind::Malformed`].
pub fn decode<V: Value>(frame: &V, client_id: &V::Text) -> Frame<V::Text> {
    let word = frame.word(Field::Type);
    // These belong to a connection and are never stored, whatever else they say.
    let kind = match word {
        Word::Welcome => Some(welcome(frame)),
        Word::Stream => Some(position(frame)),
        _ => None,
    };
    if let Some(kind) = kind {
        return Frame { kind, place: None, is_own: false };
    }
    let stream = frame.text(Field::Stream);
    let is_stored = stream.is_some() || frame.has(Field::Stream);
    let place = stream.and_then(|stream| place(frame, stream));
    if is_stored && place.is_none() {
        return Frame { kind: FrameKind::Malformed, place, is_own: false };
    }
    let is_own = is_stored && frame.text(Field::ClientId).is_some_and(|id| id == *client_id);
    Frame { kind: kind_of(word, frame), place, is_own }
}

fn kind_of<V: Value>(word: Word, frame: &V) -> FrameKind<V::Text> {
    let numbered: fn(u64, &V) -> FrameKind<V::Text> = match word {
        Word::Ack => |seq, _| FrameKind::Ack { seq },
        Word::Error => |seq, _| FrameKind::Refused { seq },
        Word::Reply => |seq, _| FrameKind::Reply { seq },
        Word::Receipt => receipt,
        Word::Pong => return FrameKind::Pong,
        _ => return FrameKind::Event,
    };
    let data = frame.object(Field::Data);
    let has_seq = data.as_ref().is_some_and(|data| data.has(Field::Seq));
    if word == Word::Error && !has_seq {
        let is_about_hello = data.is_some_and(|data| data.word(Field::About) == Word::Hello);
        return if is_about_hello { FrameKind::HelloRefused } else { FrameKind::Event };
    }
    match data.as_ref().and_then(|data| Some((data.count(Field::Seq)?, data))) {
        // Messages are numbered from 1; an acknowledgement may say that none is processed so far.
        Some((seq, data)) if seq > 0 || word == Word::Ack => numbered(seq, data),
        _ => FrameKind::Malformed,
    }
}

fn receipt<V: Value>(seq: u64, data: &V) -> FrameKind<V::Text> {
    match data.word(Field::Status) {
        Word::Delivered => FrameKind::Receipt { seq, status: ReceiptStatus::Delivered },
        Word::Read => FrameKind::Receipt { seq, status: ReceiptStatus::Read },
        _ => FrameKind::Malformed,
    }
}

/// Where an event of this stream stands, if what the frame says of it is right.
fn place<V: Value>(frame: &V, stream: V::Text) -> Option<StreamOffset<V::Text>> {
    let offset = frame.count(Field::Offset)?;
    let prev = if frame.has(Field::Prev) { frame.count(Field::Prev)? } else { offset.checked_sub(1)? };
    (prev < offset).then_some(StreamOffset { stream, offset, prev })
}

fn position<V: Value>(frame: &V) -> FrameKind<V::Text> {
    let read = |data: V| Some((data.text(Field::Stream)?, data.count(Field::Offset)?));
    match frame.object(Field::Data).and_then(read) {
        Some((stream, offset)) => FrameKind::Position { stream, offset },
        None => FrameKind::Malformed,
    }
}

fn welcome<V: Value>(frame: &V) -> FrameKind<V::Text> {
    frame.object(Field::Data).and_then(|data| fields_of_welcome(&data)).map_or(FrameKind::Malformed, FrameKind::Welcome)
}

fn fields_of_welcome<V: Value>(data: &V) -> Option<Welcome<V::Text>> {
    let or = |field, default| if data.has(field) { data.count(field) } else { Some(default) };
    let (max_bytes, remember_ms) = (or(Field::MaxBytes, FOREVER)?, or(Field::RememberMs, FOREVER)?);
    let streams = if data.has(Field::Streams) { data.object(Field::Streams)?.counts()? } else { Vec::new() };
    let window = or(Field::Window, DEFAULT_WINDOW)?.clamp(1, LARGEST_WINDOW) as u32;
    let (epoch, last) = (data.count(Field::Epoch)?, data.count(Field::Last)?);
    let is_right = data.count(Field::Version)? == VERSION && epoch > 0 && max_bytes > 0 && remember_ms > 0;
    is_right.then_some(Welcome { epoch, last, window, max_bytes, remember_ms, streams })
}

/// The version of the reliable mode that this client speaks.
pub(super) const VERSION: u64 = 1;
const DEFAULT_WINDOW: u64 = 128;
/// The largest window that a server can give.
const LARGEST_WINDOW: u64 = 1_024;
