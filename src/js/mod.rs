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
    /// A client that tells its news to `store`, which knows its token and where to connect.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, store: JsValue) -> WasmClient {
        let driver = Driver::new(options::config(options), store.unchecked_into(), Box::new(JsFace));
        driver.look(|core| JsFace.changed(driver.handlers(), &core.snapshot()));
        Self(driver)
    }

    /// What `COMMANDS` in `host.js` names. Says whether it was in time.
    pub fn command(&self, command: u32, seq: f64) -> bool {
        let seq = seq as u64;
        match command {
            0 => self.0.connect(Core::connect),
            1 => self.0.connect(Core::reconnect),
            2 => self.0.act(Core::disconnect),
            3 => self.0.act(Core::forget),
            4 => self.0.act(|core, now| core.stored(seq, now)),
            _ => return self.0.act(|core, now| core.cancel(seq, now)),
        }
        true
    }

    /// The message's number, negative if it is queued, or the error that says why it was refused. `ttl` and `reply_within` are
    /// NaN where there is none; `key` is a session or what the message replaces, by its `kind`. A message with a `sender` is one
    /// that an earlier page has left under the number `seq`.
    #[allow(clippy::too_many_arguments, reason = "an object would have to be taken apart on this side")]
    pub fn send(
        &self,
        frame: JsValue,
        bytes: u32,
        kind: u32,
        key: JsValue,
        ttl: f64,
        is_durable: bool,
        reply_within: f64,
        sender: JsValue,
        seq: f64,
    ) -> JsValue {
        let mut message = Message::new(frame.unchecked_into(), bytes, purpose(kind, key.clone().unchecked_into()));
        message.policy = Policy {
            ttl_ms: millis(ttl),
            coalesce: if kind < 2 { some(key) } else { None },
            awaits_storage: is_durable,
            reply_within_ms: millis(reply_within),
        };
        if !sender.is_undefined() {
            (message.sender, message.seq) = (some(sender), seq as u64);
            self.0.act(|core, now| core.restore(Vec::from([message]), now));
            return JsValue::UNDEFINED;
        }
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
}

fn millis(number: f64) -> Option<u64> {
    // Infinity becomes the largest number, which means "for ever".
    (!number.is_nan()).then_some(number as u64)
}
