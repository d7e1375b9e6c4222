//! Text frames and what is in them. Payloads stay JavaScript values on both ways.

#[cfg(feature = "rust")]
use alloc::boxed::Box;

#[cfg(feature = "rust")]
use super::host;
use super::host::Text;
#[cfg(feature = "rust")]
use crate::proto::Message;
use crate::proto::{Inbound, News, Place, Purpose};
use wasm_bindgen::JsCast;

/// What the state machine learns of a frame from the server; the payload stays in JavaScript.
pub(crate) struct Incoming {
    pub(super) news: News,
    pub(super) place: Option<Place>,
}

impl Incoming {
    /// What `receive` in `host.js` says of a frame, by its number for it.
    pub(super) fn new(news: u32, [a, b, c]: [u64; 3]) -> Self {
        let place = (news == 16).then_some(Place { stream: a as u32, offset: b, prev: c });
        let news = match news {
            1 => News::Pong,
            2 => News::Welcome { epoch: a, last: b, window: c as u32 },
            3 => News::HelloRefused,
            4 => News::Ack { seq: a },
            5 => News::Refused { seq: a },
            6 => News::Reply { seq: a },
            7 => News::Receipt { seq: a },
            8 => News::Malformed,
            _ => News::Event,
        };
        Self { news, place }
    }
}

impl Inbound for Incoming {
    fn news(&self) -> News {
        self.news
    }

    fn place(&self) -> Option<Place> {
        self.place
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

/// The text, unless it is `undefined`.
pub(crate) fn some(text: wasm_bindgen::JsValue) -> Option<Text> {
    (!text.is_undefined()).then(|| text.unchecked_into())
}

/// Builds a complete frame. The error is a JavaScript error whose `code` says what the caller has to change.
#[cfg(feature = "rust")]
pub(crate) fn encode(
    event: &wasm_bindgen::JsValue,
    data: &wasm_bindgen::JsValue,
) -> Result<Box<Message<Text>>, wasm_bindgen::JsValue> {
    let frame = host::encode(event, data)?;
    let bytes = host::byte_length(&frame);
    let mut message = Message::new(frame, bytes, purpose(host::purpose(event, data), host::session(event, data)));
    message.policy.coalesce = some(host::coalesce_key(event, data));
    Ok(message)
}
