//! What can be wrong with a frame.

use crate::proto::coded::coded;

coded! {
    /// Why a frame of the server means nothing (docs/SOCKETIO.md).
    #[non_exhaustive]
    pub enum PacketFlaw {
        /// The frame does not begin with the type of an Engine.IO packet.
        NotEngineIo = "not_engine_io",
        /// An Engine.IO packet that only clients send.
        WrongDirection = "wrong_direction",
        /// The `open` packet lacks a session id, or one of its numbers is wrong.
        BadHandshake = "bad_handshake",
        /// No Socket.IO packet has this type.
        UnknownPacket = "unknown_packet",
        /// A CONNECT without a session id: a server of Socket.IO 2 sends it.
        NoSessionId = "no_session_id",
        /// A namespace longer than [`MAX_NAMESPACE_LENGTH`](super::MAX_NAMESPACE_LENGTH), or one with a comma.
        BadNamespace = "bad_namespace",
        /// A negative acknowledgement id.
        NegativeId = "negative_id",
        /// An acknowledgement id above 2⁵³ − 1.
        IdTooLarge = "id_too_large",
        /// An acknowledgement that does not say of what.
        IdMissing = "id_missing",
        /// A packet ends where its payload should begin.
        PayloadMissing = "payload_missing",
        /// The payload is no JSON.
        PayloadNotJson = "payload_not_json",
        /// The payload is not of the kind that its packet needs, or the packet can have none.
        BadPayload = "bad_payload",
        /// An event by a name that clients and servers use for their own.
        ReservedEvent = "reserved_event",
        /// A binary packet without the number of its attachments.
        BadAttachmentCount = "bad_attachment_count",
        /// A binary packet with more than [`MAX_RECEIVED_ATTACHMENTS`](super::MAX_RECEIVED_ATTACHMENTS).
        TooManyAttachments = "too_many_attachments",
        /// A payload that refers to an attachment that its packet does not have.
        BadPlaceholder = "bad_placeholder",
        /// Another packet has come where an attachment should.
        AttachmentMissing = "attachment_missing",
        /// The attachments of one packet are larger than [`MAX_ATTACHMENT_BYTES`](super::MAX_ATTACHMENT_BYTES).
        AttachmentsTooLarge = "attachments_too_large",
        /// A binary frame that no packet has announced.
        UnexpectedBinary = "unexpected_binary",
    }
}

impl PacketFlaw {
    /// Whether to leave an established connection: the protocol demands it, or which frames belong together is no longer known. Otherwise
    /// the frame is passed over.
    pub const fn ends_connection(self) -> bool {
        match self {
            Self::NotEngineIo
            | Self::WrongDirection
            | Self::UnknownPacket
            | Self::BadNamespace
            | Self::NegativeId
            | Self::IdTooLarge
            | Self::IdMissing
            | Self::ReservedEvent => false,
            Self::BadHandshake
            | Self::NoSessionId
            | Self::PayloadMissing
            | Self::PayloadNotJson
            | Self::BadPayload
            | Self::BadAttachmentCount
            | Self::TooManyAttachments
            | Self::BadPlaceholder
            | Self::AttachmentMissing
            | Self::AttachmentsTooLarge
            | Self::UnexpectedBinary => true,
        }
    }
}
