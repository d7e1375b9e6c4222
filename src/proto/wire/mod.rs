//! Frames, as docs/PROTOCOL.md describes them: the one decoder and the one encoder.
//!
//! Both are generic over [`Value`], so that a browser reads what `JSON.parse` has made without copying any of it, and simulation, fuzzing
//! and native clients run the same code over `serde_json::Value`.

mod decode;
mod encode;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "socketio")]
pub mod socketio;
mod value;

pub use decode::{Frame, FrameKind, ReceiptStatus, StreamOffset, Welcome, decode};
pub use encode::{hello, message, ping, request, with_sequence};
#[cfg(feature = "json")]
pub use json::parse;
pub use value::{Field, Text, Value, Word};
