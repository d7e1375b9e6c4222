//! Text frames and what is in them. Payloads stay JavaScript values on both ways.

use alloc::boxed::Box;

use wasm_bindgen::JsValue;

use super::host::{self, Text};
use crate::proto::{Inbound, Message, Purpose};

/// What a frame from the server held: an envelope, or the error that says why it is none.
pub(crate) struct Incoming(pub(super) JsValue);

impl Inbound for Incoming {
    fn is_pong(&self) -> bool {
        host::is_pong(&self.0)
    }
}

/// Why an event cannot be put into a frame: the caller has to send something else.
pub(crate) enum EncodeError {
    /// The name of the event is missing.
    NoType,
    /// `JSON.stringify` threw: a cycle, a BigInt, or a `toJSON` that throws.
    Unserialisable(JsValue),
    /// The data is no JSON object.
    NotAnObject,
}

/// Builds a complete frame.
pub(crate) fn encode(event: &str, data: &JsValue) -> Result<Box<Message<Text>>, EncodeError> {
    if event.is_empty() {
        return Err(EncodeError::NoType);
    }
    let frame = host::encode(event, data).map_err(EncodeError::Unserialisable)?.ok_or(EncodeError::NotAnObject)?;
    let bytes = host::byte_length(&frame);
    Ok(Message::new(frame, bytes, Purpose::of(event, &|name| host::field(data, name))))
}

/// The frame of the heartbeat.
pub(super) fn ping() -> Option<Text> {
    host::encode("ping", &JsValue::UNDEFINED).ok().flatten()
}
