//! Text frames and what is in them. Payloads stay JavaScript values on both ways.

#[cfg(feature = "rust")]
use alloc::boxed::Box;

#[cfg(feature = "rust")]
use super::host;
use super::host::Text;
#[cfg(feature = "rust")]
use crate::proto::Message;
use crate::proto::{Inbound, Purpose};

/// What the state machine learns of a frame from the server; the payload stays in JavaScript.
pub(crate) struct Incoming {
    pub(super) is_pong: bool,
}

impl Inbound for Incoming {
    fn is_pong(&self) -> bool {
        self.is_pong
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
pub(crate) fn encode(
    event: &wasm_bindgen::JsValue,
    data: &wasm_bindgen::JsValue,
) -> Result<Box<Message<Text>>, wasm_bindgen::JsValue> {
    let frame = host::encode(event, data)?;
    let bytes = host::byte_length(&frame);
    Ok(Message::new(frame, bytes, purpose(host::purpose(event, data), host::session(event, data))))
}
