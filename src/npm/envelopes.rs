//! What the class is in the module that speaks to servers of the envelope.

use alloc::boxed::Box;
use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

use super::client::Core;
use super::codes::{PurposeName, SendOutcome};
use super::host::JsHost;
use super::value::{JsonText, JsonValue, unless_nan};
use crate::driver;
use crate::proto::{Input, Message, Purpose, Refusal};

#[wasm_bindgen]
extern "C" {
    /// `OutgoingMessage` of `pkg/src/host/contract.ts`: what is special about a message. NaN stands for `undefined`.
    pub type JsMessage;

    #[wasm_bindgen(method, getter)]
    fn frame(this: &JsMessage) -> JsonText;
    #[wasm_bindgen(method, getter)]
    fn bytes(this: &JsMessage) -> u32;
    #[wasm_bindgen(method, getter)]
    fn purpose(this: &JsMessage) -> PurposeName;
    #[wasm_bindgen(method, getter)]
    fn key(this: &JsMessage) -> Option<JsonText>;
    #[wasm_bindgen(method, getter)]
    fn rank(this: &JsMessage) -> f64;
    #[wasm_bindgen(method, getter, js_name = ttlMs)]
    fn ttl_ms(this: &JsMessage) -> f64;
    #[wasm_bindgen(method, getter, js_name = isDurable)]
    fn is_durable(this: &JsMessage) -> bool;
    #[wasm_bindgen(method, getter, js_name = timeoutMs)]
    fn timeout_ms(this: &JsMessage) -> f64;
    /// The previous client instance that has left it.
    #[wasm_bindgen(method, getter)]
    fn origin(this: &JsMessage) -> Option<JsonText>;
    #[wasm_bindgen(method, getter)]
    fn seq(this: &JsMessage) -> f64;
    #[wasm_bindgen(method, setter)]
    fn set_seq(this: &JsMessage, seq: f64);
    #[wasm_bindgen(method, setter, js_name = maxBytes)]
    fn set_max_bytes(this: &JsMessage, bytes: u32);
    #[wasm_bindgen(method, getter, js_name = ageMs)]
    fn age_ms(this: &JsMessage) -> f64;
}

#[wasm_bindgen]
impl Core {
    /// Sends a message, or queues it. An accepted one is told its number; one that is too large, what would not be.
    pub fn send(&self, host: &JsHost, message: &JsMessage) -> SendOutcome {
        let sent = driver::send(&mut self.call(host), read(message));
        match sent {
            Ok((_, seq)) => message.set_seq(seq as f64),
            Err(Refusal::TooLarge { max, .. }) => message.set_max_bytes(max),
            Err(_) => {}
        }
        sent.map(|(sent, _)| sent).into()
    }

    /// Takes over a message that a previous client instance has left, in front of every other.
    pub fn restore(&self, host: &JsHost, message: &JsMessage) {
        let mut restored = read(message);
        restored.origin = message.origin();
        (restored.seq, restored.age_ms) = (message.seq() as u64, message.age_ms() as u64);
        driver::command(&mut self.call(host), |client, now| client.restore(Vec::from([restored]), now));
    }

    /// A frame that is an envelope arrived. Says whether the application gets it.
    pub fn receive(&self, host: &JsHost, frame: JsonValue) -> bool {
        self.about_socket(host, |socket| Input::Frame { socket, frame })
    }
}

fn read(message: &JsMessage) -> Box<Message<JsonText>> {
    let key = message.key();
    let (purpose, coalesce) = match (message.purpose(), key) {
        (PurposeName::Join, Some(session)) => (Purpose::Join(session), None),
        (PurposeName::Leave, Some(session)) => (Purpose::Leave(session), None),
        (PurposeName::Volatile, key) => (Purpose::Volatile, key),
        (_, key) => (Purpose::Ordinary, key),
    };
    let mut outgoing = Message::new(message.frame(), message.bytes(), purpose);
    outgoing.policy.coalesce = coalesce;
    outgoing.policy.rank = message.rank() as u64;
    outgoing.policy.ttl_ms = unless_nan(message.ttl_ms());
    outgoing.policy.awaits_storage = message.is_durable();
    outgoing.policy.reply_within_ms = unless_nan(message.timeout_ms());
    outgoing
}

/// What the loop of the driver has to know of these servers: nothing.
pub(super) mod dialect {
    use crate::driver;
    use crate::npm::host::{Call, now};
    use crate::npm::value::JsonValue;
    use crate::proto::{Input, SocketId};

    pub(in crate::npm) fn handle_input(call: &mut Call<'_>, input: Input<JsonValue>) {
        driver::handle_input(call, input, now());
    }

    pub(in crate::npm) fn handle_timeout(call: &mut Call<'_>) {
        driver::handle_timeout(call);
    }

    pub(in crate::npm) const fn begin(_: &mut Call<'_>, _: SocketId) {}
    pub(in crate::npm) const fn leave(_: &mut Call<'_>, _: SocketId) {}
    pub(in crate::npm) const fn abandon(_: &mut Call<'_>, _: SocketId) {}
    pub(in crate::npm) const fn forget(_: &mut Call<'_>, _: u64) {}
}
