//! What packets need of strings and JSON beyond [`Text`] and [`Value`].

use core::fmt::Debug;

use crate::proto::coded::coded;
use crate::proto::wire::{Text, Value};

/// A string of the platform, which packets are cut from.
///
/// Its units are whatever the platform counts in: bytes of UTF-8, or UTF-16 code units.
pub trait PacketText: Text {
    /// How many units it has.
    fn length(&self) -> usize;

    /// The unit at this index if it is an ASCII character, 128 if it is anything else, and `None` behind the end.
    fn unit_at(&self, index: usize) -> Option<u8>;

    /// The units from `from` to the one before `to`. Both are behind an ASCII character, in front of one, or an end of the string.
    fn slice(&self, from: usize, to: usize) -> Self;

    /// A string of ASCII characters.
    fn from_ascii(text: &str) -> Self;

    /// This string and another behind it.
    #[must_use]
    fn followed_by(&self, other: &Self) -> Self;
}

/// A JSON value of the platform, as the payload of a packet.
pub trait PacketValue: Value<Text: PacketText> {
    /// What comes in a binary frame. Cloning copies nothing that is large.
    type Binary: Clone + Debug;

    /// How many bytes a binary frame has.
    fn byte_length(binary: &Self::Binary) -> u64;

    /// The value whose JSON text begins at this unit and goes on to the end, and of what kind it is.
    fn parse_from(text: &Self::Text, from: usize) -> Option<(Json, Self)>;

    /// This value, if it is a string.
    fn as_text(&self) -> Option<Self::Text>;

    /// The last element of this array, if it is a string.
    fn last_text(&self) -> Option<Self::Text>;

    /// The member of this object, if it is a string.
    fn member_text(&self, member: Member) -> Option<Self::Text>;

    /// The member of this object, if it is there and an integer from 0 to 2⁵³ − 1.
    fn member_count(&self, member: Member) -> Option<u64>;

    /// Whether the object has the member.
    fn has_member(&self, member: Member) -> bool;

    /// Whether every placeholder, however deep in this value, stands for one of so many attachments: an object with `_placeholder: true` whose `num` is an
    /// integer below `attachments`. It must not recurse as deep as the value is nested, unless the parser bounds that.
    fn has_only_placeholders_below(&self, attachments: u32) -> bool;
}

/// The kinds of JSON that packets tell apart. Exhaustive: there are no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Json {
    /// `[…]`
    Array(First),
    /// `{…}`
    Object,
    /// `"…"`
    Text,
    /// A number, `true`, `false` or `null`.
    Other,
}

/// What an array begins with. Exhaustive: there is no more to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// A number or a string, by which an event can go.
    Name,
    /// One of [`RESERVED_EVENTS`].
    Reserved,
    /// Anything else, or nothing.
    Other,
}

coded! {
    /// The members of payloads that clients read.
    ///
    /// Exhaustive: an implementation of [`PacketValue`] has to know each.
    pub enum Member {
        /// The id of a session.
        Sid = "sid",
        /// The private id of a session that can be recovered.
        Pid = "pid",
        /// Why a server does not let a client in.
        Message = "message",
        /// How often the server pings, in milliseconds.
        PingInterval = "pingInterval",
        /// How long a pong may take, in milliseconds.
        PingTimeout = "pingTimeout",
        /// The size of the largest frame that the server takes, in bytes.
        MaxPayload = "maxPayload",
    }
}

/// Names of events that no packet may have, because clients and servers use them for their own.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
