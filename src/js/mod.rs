//! The JavaScript face: `#[wasm_bindgen]` exports that the npm package wraps. No logic of its own.
//!
//! Every method takes `&self` and returns at once, so that a handler can call back into the client that calls it.

mod face;
mod host;
mod options;

use alloc::boxed::Box;
use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

use crate::browser::frame::{purpose, some};
use crate::browser::{Core, Driver, Face as _};
use crate::proto::{Message, Policy, Refusal, Sent};
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

    /// The message's number, negative if it is queued, or the error that says why it was refused. `ttl` and `reply_within` are
    /// NaN where there is none, as `coalesce` is `undefined`.
    #[allow(clippy::too_many_arguments, reason = "an object would have to be taken apart on this side")]
    pub fn send(
        &self,
        frame: JsValue,
        bytes: u32,
        kind: u32,
        session: JsValue,
        ttl: f64,
        coalesce: JsValue,
        is_durable: bool,
        reply_within: f64,
    ) -> JsValue {
        let mut message = Message::new(frame.unchecked_into(), bytes, purpose(kind, session.unchecked_into()));
        message.policy = Policy {
            ttl_ms: millis(ttl),
            coalesce: some(coalesce),
            awaits_storage: is_durable,
            reply_within_ms: millis(reply_within),
        };
        let (index, bytes, max) = match self.0.send(message) {
            Ok(sent) => {
                let seq = self.0.look(Core::latest_seq) as f64;
                return if sent == Sent::Now { seq } else { -seq }.into();
            }
            Err(refused) => match refused.refusal {
                Refusal::TooLarge { bytes, max } => (0, bytes, max),
                Refusal::QueueFull => (1, 0, 0),
                Refusal::NotOpen => (2, 0, 0),
                Refusal::TooManySessions => (3, 0, 0),
                Refusal::Unsupported => (4, 0, 0),
            },
        };
        host::refusal(index, bytes, max)
    }

    /// Takes back a message that was not sent yet; false if it is too late.
    pub fn cancel(&self, seq: f64) -> bool {
        self.0.act(|core, now| core.cancel(seq as u64, now))
    }

    /// A durable message is on disk, or cannot be.
    pub fn stored(&self, seq: f64) {
        self.0.act(|core, now| core.stored(seq as u64, now));
    }

    /// Takes over a message that an earlier page has left, in front of all others.
    #[allow(clippy::too_many_arguments, reason = "an object would have to be taken apart on this side")]
    pub fn restore(
        &self,
        frame: JsValue,
        bytes: u32,
        kind: u32,
        session: JsValue,
        ttl: f64,
        sender: JsValue,
        seq: f64,
    ) {
        let mut message = Message::new(frame.unchecked_into(), bytes, purpose(kind, session.unchecked_into()));
        message.policy.ttl_ms = millis(ttl);
        (message.sender, message.seq) = (some(sender), seq as u64);
        self.0.act(|core, now| core.restore(Vec::from([message]), now));
    }

    /// Drops every message.
    pub fn forget(&self) {
        self.0.act(Core::forget);
    }
}

fn millis(number: f64) -> Option<u64> {
    // Infinity becomes the largest number, which means "for ever".
    (!number.is_nan()).then_some(number as u64)
}
