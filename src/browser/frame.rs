//! Text frames and what is in them. Payloads stay JavaScript values on both ways.

#[cfg(feature = "rust")]
use alloc::boxed::Box;

use wasm_bindgen::JsValue;

use super::host::{self, Text};
#[cfg(feature = "rust")]
use crate::proto::Message;
use crate::proto::{Inbound, Purpose};

/// What a frame from the server held: an envelope, or the error that says why it is none.
pub(crate) struct Incoming(pub(super) JsValue);

impl Inbound for Incoming {
    fn is_pong(&self) -> bool {
        host::is_pong(&self.0)
    }
}

/// What a frame is for, by the number that `purpose` in `host.js` gives.
pub(crate) fn purpose(number: u32, session: Text) -> Purpose<Text> {
    match number {
        1 => Purpose::Ephemeral,
        2 => Purpose::Join(session),
        3 => Purpose::Leave(session),
        _ => Purpose::Ordinary,
    }
}

/// Builds a complete frame. The error is a JavaScript error whose `code` says what the caller has to change.
#[cfg(feature = "rust")]
pub(crate) fn encode(event: &JsValue, data: &JsValue) -> Result<Box<Message<Text>>, JsValue> {
    let frame = host::encode(event, data)?;
    let bytes = host::byte_length(&frame);
    Ok(Message::new(frame, bytes, purpose(host::purpose(event, data), host::session(event, data))))
}
