//! Engine.IO 4 and Socket.IO 5 over WebSocket, as docs/SOCKETIO.md describes them: the one reader and the one writer of their frames.
//!
//! Both are generic over [`PacketValue`], so that a browser reads what `JSON.parse` has made without copying any of it, and simulation,
//! fuzzing and native clients run the same code over `serde_json::Value`.

mod decode;
mod encode;
mod flaw;
#[cfg(feature = "json")]
mod json;
mod namespace;
mod platform;

pub use decode::{
    Arguments, EnginePacket, FrameReader, Handshake, MAX_ATTACHMENT_BYTES, MAX_RECEIVED_ATTACHMENTS, Packet,
    PacketKind, Reading,
};
pub use encode::{ack, connect, disconnect, event, pong};
pub use flaw::PacketFlaw;
pub use namespace::{MAX_NAMESPACE_LENGTH, Namespace};
pub use platform::{First, Json, Member, PacketText, PacketValue, RESERVED_EVENTS};
