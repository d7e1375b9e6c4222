//! The JavaScript face: `#[wasm_bindgen]` exports that the npm package wraps. No logic of its own.
//!
//! Every method takes `&self` and returns at once, so that a handler can call back into the client that calls it.

mod face;
mod host;
mod options;

use alloc::boxed::Box;

use wasm_bindgen::prelude::*;

use crate::browser::frame::purpose;
use crate::browser::{Driver, Face as _};
use crate::proto::{Message, Refusal, Sent};
use face::JsFace;

/// One client, as the npm package sees it. Its arguments have been checked in JavaScript.
#[wasm_bindgen]
pub struct WasmClient(Driver);

#[wasm_bindgen]
impl WasmClient {
    /// A client that tells its news to `store`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, token: JsValue, store: JsValue) -> WasmClient {
        let driver = Driver::new(options::config(options), token, store.unchecked_into(), Box::new(JsFace));
        driver.look(|core| JsFace.changed(driver.handlers(), &core.snapshot()));
        Self(driver)
    }

    /// Connects to a URL that lacks only the token.
    pub fn connect(&self, endpoint: JsValue) {
        self.0.connect(endpoint.unchecked_into());
    }

    /// Drops whatever connection there is and connects anew.
    pub fn reconnect(&self, endpoint: JsValue) {
        self.0.reconnect(endpoint.unchecked_into());
    }

    /// Closes with code 1000 and stays closed.
    pub fn disconnect(&self) {
        self.0.disconnect();
    }

    /// `true` if the frame was sent, `false` if it is queued, or the error that says why it was refused.
    pub fn send(&self, frame: JsValue, bytes: u32, kind: u32, session: JsValue) -> JsValue {
        let message = Message::new(frame.unchecked_into(), bytes, purpose(kind, session.unchecked_into()));
        let (index, bytes, max) = match self.0.send(message) {
            Ok(sent) => return (sent == Sent::Now).into(),
            Err(refused) => match refused.refusal {
                Refusal::TooLarge { bytes, max } => (0, bytes, max),
                Refusal::QueueFull => (1, 0, 0),
                Refusal::NotOpen => (2, 0, 0),
                Refusal::TooManySessions => (3, 0, 0),
            },
        };
        host::refusal(index, bytes, max)
    }
}
