//! The JavaScript face: `#[wasm_bindgen]` exports that the npm package wraps. No logic of its own.
//!
//! Every method takes `&self` and returns at once, so that a handler can call back into the client that calls it. Only numbers pass;
//! JavaScript makes the client the current one before it calls.

mod face;
mod host;
mod options;

use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

use crate::browser::frame::message;
use crate::browser::{Core, Driver};
use crate::proto::{Refusal, Sent};
use face::{JsFace, show};

/// One client, as the npm package sees it. Its arguments have been checked in JavaScript.
#[wasm_bindgen]
pub struct WasmClient(Driver<JsFace>);

#[wasm_bindgen]
impl WasmClient {
    /// A client with the options of the current one.
    #[allow(clippy::new_without_default, reason = "JavaScript calls it")]
    #[wasm_bindgen(constructor)]
    pub fn new() -> WasmClient {
        let driver = Driver::new(options::config(), JsFace);
        driver.look(|core| show(&core.snapshot()));
        Self(driver)
    }

    /// A fact, by its number in `host.js`. Says of a frame whether to deliver it.
    pub fn signal(&self, now: f64, fact: u32, a: f64, b: f64, c: f64) -> bool {
        self.0.signal(now, fact, a, b, c)
    }

    /// What the constants in the package's `client.ts` name. Says whether it was in time.
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

    /// The message's number, negative if it is queued, or 0 after the host was told why it was refused. `ttl` and `reply_within` are
    /// NaN where there is none. A message with a `sender` is one that an earlier page has left under the number `seq`.
    #[allow(clippy::too_many_arguments, reason = "an object would have to be taken apart on this side")]
    pub fn send(
        &self,
        frame: u32,
        bytes: u32,
        kind: u32,
        key: u32,
        ttl: f64,
        is_durable: bool,
        reply_within: f64,
        sender: u32,
        seq: f64,
    ) -> f64 {
        let mut message = message(frame, bytes, kind, key);
        message.policy.ttl_ms = millis(ttl);
        message.policy.awaits_storage = is_durable;
        message.policy.reply_within_ms = millis(reply_within);
        if sender > 0 {
            (message.sender, message.seq) = (Some(sender), seq as u64);
            self.0.act(|core, now| core.restore(Vec::from([message]), now));
            return seq;
        }
        let (sent, seq) = self.0.act(|core, now| (core.send(message, now), core.latest_seq() as f64));
        let (index, bytes, max) = match sent {
            Ok(Sent::Now) => return seq,
            Ok(Sent::Queued) => return -seq,
            Err(refused) => match refused.refusal {
                Refusal::TooLarge { bytes, max } => (0, bytes, max),
                Refusal::QueueFull => (1, 0, 0),
                Refusal::NotOpen => (2, 0, 0),
                Refusal::TooManySessions => (3, 0, 0),
                Refusal::Unsupported => (4, 0, 0),
            },
        };
        host::refuse(index, bytes as i32, max as i32);
        0.0
    }
}

fn millis(number: f64) -> Option<u64> {
    // Infinity becomes the largest number, which means "for ever".
    (!number.is_nan()).then_some(number as u64)
}
