//! From the frames of a server to its packets.

use alloc::vec::Vec;

use super::flaw::PacketFlaw;
use super::namespace::{MAX_NAMESPACE_LENGTH, Namespace};
use super::platform::{First, Json, Member, PacketText, PacketValue};
use crate::proto::time::FOREVER;

/// A packet of Engine.IO. Exhaustive: a packet that is left out would be lost in silence.
#[derive(Clone, Debug)]
pub enum EnginePacket<V: PacketValue> {
    /// The first of a connection.
    Open(Handshake<V::Text>),
    /// The server wants the connection closed.
    Close,
    /// The server asks whether the client is there, which a pong answers.
    Ping,
    /// The answer to a ping, which clients of this version have no use for.
    Pong,
    /// Nothing.
    Noop,
    /// A packet of Socket.IO.
    Message(Packet<V>),
}

/// What a server says of a connection at its start. Exhaustive: who reads it has to heed all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake<T> {
    /// The id of the connection.
    pub sid: T,
    /// How often the server pings, in milliseconds.
    pub ping_interval_ms: u64,
    /// How long after that a ping is overdue, in milliseconds.
    pub ping_timeout_ms: u64,
    /// The size of the largest frame that the server takes, in bytes; [`FOREVER`] if it does not say.
    pub max_payload_bytes: u64,
}

/// A packet of Socket.IO. Exhaustive: each belongs to a namespace.
#[derive(Clone, Debug)]
pub struct Packet<V: PacketValue> {
    /// Where it belongs.
    pub namespace: Namespace<V::Text>,
    /// What it says.
    pub kind: PacketKind<V>,
}

/// What a packet of Socket.IO says. Exhaustive: a packet that is left out would be lost in silence.
#[derive(Clone, Debug)]
pub enum PacketKind<V: PacketValue> {
    /// The client is in the namespace.
    Connect {
        /// The id of the client there.
        sid: V::Text,
        /// The private id to recover this session by, if the server can.
        pid: Option<V::Text>,
    },
    /// The client is no longer in the namespace.
    Disconnect,
    /// An event. The first of its arguments is its name, a string or a number.
    Event {
        /// By which an acknowledgement is asked for.
        id: Option<u64>,
        /// Its name, and what it says.
        arguments: Arguments<V>,
    },
    /// The acknowledgement of an event.
    Ack {
        /// The id of the event.
        id: u64,
        /// What the acknowledgement says.
        arguments: Arguments<V>,
    },
    /// The server does not let the client into the namespace.
    ConnectError {
        /// An object with a `message`, or a string.
        reason: V,
    },
}

/// A JSON array and the binary frames that its placeholders stand for. Exhaustive: neither says anything without the other.
#[derive(Clone, Debug)]
pub struct Arguments<V: PacketValue> {
    /// The array, in which `{ "_placeholder": true, "num": n }` stands for an attachment that exists.
    pub array: V,
    /// The attachments by their number.
    pub attachments: Vec<V::Binary>,
}

/// What a frame says; `None` for one whose packet is not complete.
pub type Reading<V> = Result<Option<EnginePacket<V>>, PacketFlaw>;

/// Puts the frames of one connection together to packets.
#[derive(Clone, Debug)]
pub struct FrameReader<V: PacketValue> {
    incomplete: Option<Incomplete<V>>,
}

/// A packet whose attachments are still to come.
#[derive(Clone, Debug)]
struct Incomplete<V: PacketValue> {
    header: Header<V::Text>,
    arguments: Arguments<V>,
    bytes: u64,
}

/// What stands in front of a payload.
#[derive(Clone, Debug)]
struct Header<T> {
    kind: HeaderKind,
    /// 0 for packets that are not binary.
    attachments: u32,
    namespace: Namespace<T>,
    id: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeaderKind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
}

impl<V: PacketValue> Default for FrameReader<V> {
    fn default() -> Self {
        Self { incomplete: None }
    }
}

impl<V: PacketValue> FrameReader<V> {
    /// Reads a text frame. `None` is the start of a packet whose attachments follow.
    pub fn read_text(&mut self, frame: &V::Text) -> Reading<V> {
        let packet = match frame.unit_at(0) {
            Some(b'0') => EnginePacket::Open(handshake::<V>(frame)?),
            Some(b'1') => EnginePacket::Close,
            Some(b'2') => EnginePacket::Ping,
            Some(b'3') => EnginePacket::Pong,
            Some(b'4') => return self.read_message(frame),
            Some(b'5') => return Err(PacketFlaw::WrongDirection),
            Some(b'6') => EnginePacket::Noop,
            _ => return Err(PacketFlaw::NotEngineIo),
        };
        Ok(Some(packet))
    }

    /// Reads a binary frame, the next attachment of a packet. `None` is one that is not the last.
    pub fn read_binary(&mut self, frame: V::Binary) -> Reading<V> {
        let mut incomplete = self.incomplete.take().ok_or(PacketFlaw::UnexpectedBinary)?;
        incomplete.bytes = incomplete.bytes.saturating_add(V::byte_length(&frame));
        if incomplete.bytes > MAX_ATTACHMENT_BYTES {
            return Err(PacketFlaw::AttachmentsTooLarge);
        }
        incomplete.arguments.attachments.push(frame);
        if incomplete.arguments.attachments.len() < incomplete.header.attachments as usize {
            self.incomplete = Some(incomplete);
            return Ok(None);
        }
        message(incomplete.header, incomplete.arguments).map(Some)
    }

    /// Reads what comes behind the `4` of Engine.IO.
    fn read_message(&mut self, frame: &V::Text) -> Reading<V> {
        if self.incomplete.take().is_some() {
            return Err(PacketFlaw::AttachmentMissing);
        }
        let mut cursor = Cursor::new(frame, 1);
        let header = header(&mut cursor)?;
        let payload = match cursor.unit {
            Some(_) => Some(V::parse_from(frame, cursor.at).ok_or(PacketFlaw::PayloadNotJson)?),
            None => None,
        };
        let array = match header.kind {
            HeaderKind::Event | HeaderKind::Ack => arguments(header.kind, payload)?,
            HeaderKind::Connect | HeaderKind::Disconnect | HeaderKind::ConnectError => {
                return control(header, payload).map(|packet| Some(EnginePacket::Message(packet)));
            }
        };
        let arguments = Arguments { array, attachments: Vec::new() };
        if header.attachments == 0 {
            return message(header, arguments).map(Some);
        }
        if !arguments.array.has_only_placeholders_below(header.attachments) {
            return Err(PacketFlaw::BadPlaceholder);
        }
        self.incomplete = Some(Incomplete { header, arguments, bytes: 0 });
        Ok(None)
    }
}

fn handshake<V: PacketValue>(frame: &V::Text) -> Result<Handshake<V::Text>, PacketFlaw> {
    let fields = |data: V| {
        let positive = |member| data.member_count(member).filter(|count| *count > 0);
        let max_payload_bytes = match data.has_member(Member::MaxPayload) {
            true => positive(Member::MaxPayload)?,
            false => FOREVER,
        };
        Some(Handshake {
            sid: data.member_text(Member::Sid)?,
            ping_interval_ms: positive(Member::PingInterval)?,
            ping_timeout_ms: positive(Member::PingTimeout)?,
            max_payload_bytes,
        })
    };
    match V::parse_from(frame, 1) {
        Some((Json::Object, data)) => fields(data).ok_or(PacketFlaw::BadHandshake),
        _ => Err(PacketFlaw::BadHandshake),
    }
}

/// `<type>[<attachments>-][<namespace>,][<id>]`
fn header<T: PacketText>(cursor: &mut Cursor<'_, T>) -> Result<Header<T>, PacketFlaw> {
    let (kind, is_binary) = match cursor.unit {
        Some(b'0') => (HeaderKind::Connect, false),
        Some(b'1') => (HeaderKind::Disconnect, false),
        Some(b'2') => (HeaderKind::Event, false),
        Some(b'3') => (HeaderKind::Ack, false),
        Some(b'4') => (HeaderKind::ConnectError, false),
        Some(b'5') => (HeaderKind::Event, true),
        Some(b'6') => (HeaderKind::Ack, true),
        _ => return Err(PacketFlaw::UnknownPacket),
    };
    cursor.advance();
    let attachments = if is_binary { attachment_count(cursor)? } else { 0 };
    let namespace = namespace(cursor)?;
    if cursor.unit == Some(b'-') {
        return Err(PacketFlaw::NegativeId);
    }
    let id = cursor.number(LARGEST_ID).map_err(|_| PacketFlaw::IdTooLarge)?;
    if kind == HeaderKind::Ack && id.is_none() {
        return Err(PacketFlaw::IdMissing);
    }
    Ok(Header { kind, attachments, namespace, id })
}

fn attachment_count<T: PacketText>(cursor: &mut Cursor<'_, T>) -> Result<u32, PacketFlaw> {
    let count = cursor.number(u64::from(MAX_RECEIVED_ATTACHMENTS)).map_err(|_| PacketFlaw::TooManyAttachments)?;
    let count = count.filter(|count| *count > 0 && cursor.unit == Some(b'-'));
    cursor.advance();
    count.map(|count| count as u32).ok_or(PacketFlaw::BadAttachmentCount)
}

fn namespace<T: PacketText>(cursor: &mut Cursor<'_, T>) -> Result<Namespace<T>, PacketFlaw> {
    if cursor.unit != Some(b'/') {
        return Ok(Namespace::MAIN);
    }
    let start = cursor.at;
    while !matches!(cursor.unit, None | Some(b',')) {
        cursor.advance();
        if cursor.at - start > MAX_NAMESPACE_LENGTH {
            return Err(PacketFlaw::BadNamespace);
        }
    }
    let name = cursor.text.slice(start, cursor.at);
    if cursor.unit.is_some() {
        cursor.advance();
    }
    Namespace::new(name)
}

fn arguments<V>(kind: HeaderKind, payload: Option<(Json, V)>) -> Result<V, PacketFlaw> {
    let (json, array) = payload.ok_or(PacketFlaw::PayloadMissing)?;
    let Json::Array(first) = json else { return Err(PacketFlaw::BadPayload) };
    match (kind, first) {
        (HeaderKind::Event, First::Reserved) => Err(PacketFlaw::ReservedEvent),
        (HeaderKind::Event, First::Other) => Err(PacketFlaw::BadPayload),
        _ => Ok(array),
    }
}

/// A packet without arguments.
fn control<V: PacketValue>(header: Header<V::Text>, payload: Option<(Json, V)>) -> Result<Packet<V>, PacketFlaw> {
    let kind = match (header.kind, payload) {
        (HeaderKind::Disconnect, None) => PacketKind::Disconnect,
        (HeaderKind::Connect, Some((Json::Object, payload))) => PacketKind::Connect {
            sid: payload.member_text(Member::Sid).ok_or(PacketFlaw::NoSessionId)?,
            pid: payload.member_text(Member::Pid),
        },
        (HeaderKind::Connect, None) => return Err(PacketFlaw::NoSessionId),
        (HeaderKind::ConnectError, Some((Json::Object | Json::Text, reason))) => PacketKind::ConnectError { reason },
        (HeaderKind::ConnectError, None) => return Err(PacketFlaw::PayloadMissing),
        _ => return Err(PacketFlaw::BadPayload),
    };
    Ok(Packet { namespace: header.namespace, kind })
}

/// An event or an acknowledgement that has all its attachments.
fn message<V: PacketValue>(header: Header<V::Text>, arguments: Arguments<V>) -> Result<EnginePacket<V>, PacketFlaw> {
    let kind = match (header.kind, header.id) {
        (HeaderKind::Ack, Some(id)) => PacketKind::Ack { id, arguments },
        (HeaderKind::Ack, None) => return Err(PacketFlaw::IdMissing),
        (_, id) => PacketKind::Event { id, arguments },
    };
    Ok(EnginePacket::Message(Packet { namespace: header.namespace, kind }))
}

/// A place in the text of a frame.
struct Cursor<'a, T> {
    text: &'a T,
    at: usize,
    /// What is there.
    unit: Option<u8>,
}

impl<'a, T: PacketText> Cursor<'a, T> {
    fn new(text: &'a T, at: usize) -> Self {
        Self { text, at, unit: text.unit_at(at) }
    }

    fn advance(&mut self) {
        *self = Self::new(self.text, self.at + 1);
    }

    /// The decimal number that begins here, if one does. It is an error above `largest`.
    fn number(&mut self, largest: u64) -> Result<Option<u64>, ()> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.unit {
            let next = number.unwrap_or(0) * 10 + u64::from(digit - b'0');
            // Checked at every digit, so it neither overflows nor reads a text of nothing but digits to its end.
            if next > largest {
                return Err(());
            }
            number = Some(next);
            self.advance();
        }
        Ok(number)
    }
}

/// How many attachments a packet of the server may have.
pub const MAX_RECEIVED_ATTACHMENTS: u32 = 128;
/// How large the attachments of one packet of the server may be together, in bytes.
pub const MAX_ATTACHMENT_BYTES: u64 = 64 << 20;
/// The largest number that is exact in JavaScript.
const LARGEST_ID: u64 = (1 << 53) - 1;
