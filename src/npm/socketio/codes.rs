//! The named values that cross between Rust and JavaScript for Socket.IO servers.

use wasm_bindgen::prelude::*;

use crate::mirror::mirror;
use crate::proto::socketio::{Continuity, UnexpectedPacket};
use crate::proto::wire::socketio::{First, Json, Member, PacketFlaw};

mirror! {
    /// A member that the dialect reads.
    #[wasm_bindgen]
    pub enum MemberName of Member {
        Sid = "sid",
        Pid = "pid",
        Message = "message",
        PingInterval = "pingInterval",
        PingTimeout = "pingTimeout",
        MaxPayload = "maxPayload",
    }
}

mirror! {
    /// Why a frame means nothing.
    #[wasm_bindgen]
    pub enum FlawName of PacketFlaw {
        NotEngineIo = "not_engine_io",
        WrongDirection = "wrong_direction",
        BadHandshake = "bad_handshake",
        UnknownPacket = "unknown_packet",
        NoSessionId = "no_session_id",
        BadNamespace = "bad_namespace",
        NegativeId = "negative_id",
        IdTooLarge = "id_too_large",
        IdMissing = "id_missing",
        PayloadMissing = "payload_missing",
        PayloadNotJson = "payload_not_json",
        BadPayload = "bad_payload",
        ReservedEvent = "reserved_event",
        BadAttachmentCount = "bad_attachment_count",
        TooManyAttachments = "too_many_attachments",
        BadPlaceholder = "bad_placeholder",
        AttachmentMissing = "attachment_missing",
        AttachmentsTooLarge = "attachments_too_large",
        UnexpectedBinary = "unexpected_binary",
    }
}

mirror! {
    /// Why a packet has no place where it comes.
    #[wasm_bindgen]
    pub enum UnexpectedName of UnexpectedPacket {
        SecondHandshake = "second_handshake",
        NoHandshake = "no_handshake",
        ForeignNamespace = "foreign_namespace",
        SecondAnswer = "second_answer",
        LeftNamespace = "left_namespace",
    }
}

impl UnexpectedName {
    /// What is wrong with a packet that was delivered; JavaScript says `undefined` if nothing is.
    pub(super) const fn error(self) -> Option<UnexpectedPacket> {
        match self {
            Self::SecondHandshake => Some(UnexpectedPacket::SecondHandshake),
            Self::NoHandshake => Some(UnexpectedPacket::NoHandshake),
            Self::ForeignNamespace => Some(UnexpectedPacket::ForeignNamespace),
            Self::SecondAnswer => Some(UnexpectedPacket::SecondAnswer),
            Self::LeftNamespace => Some(UnexpectedPacket::LeftNamespace),
            _ => None,
        }
    }
}

/// The kind of a value; what is no JSON has none.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindName {
    Named = "named",
    Reserved = "reserved",
    Array = "array",
    Object = "object",
    Text = "string",
    Other = "other",
}

impl KindName {
    /// `None` for what is no JSON.
    pub(super) const fn json(self) -> Option<Json> {
        match self {
            Self::Named => Some(Json::Array(First::Name)),
            Self::Reserved => Some(Json::Array(First::Reserved)),
            Self::Array => Some(Json::Array(First::Other)),
            Self::Object => Some(Json::Object),
            Self::Text => Some(Json::Text),
            Self::Other => Some(Json::Other),
            _ => None,
        }
    }
}

mirror! {
    /// How a session relates to the one before.
    #[wasm_bindgen]
    pub enum ContinuityName of Continuity {
        First = "first",
        Recovered = "recovered",
        Lost = "lost",
    }
}
