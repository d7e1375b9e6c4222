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

/// Builds a complete frame. The error is a JavaScript error whose `code` says what the caller has to change.
pub(crate) fn encode(event: &JsValue, data: &JsValue) -> Result<Box<Message<Text>>, JsValue> {
    let frame = host::encode(event, data)?;
    let bytes = host::byte_length(&frame);
    let purpose = match host::purpose(event) {
        1 => Purpose::Ephemeral,
        2 => Purpose::Join(host::session(event, data)),
        3 => Purpose::Leave(host::session(event, data)),
        _ => Purpose::Ordinary,
    };
    Ok(Message::new(frame, bytes, purpose))
}
