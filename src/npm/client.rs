//! The class that the npm package wraps. No logic of its own.

use alloc::boxed::Box;
use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

use super::codes::{CommandName, Happening, PurposeName, SendOutcome};
use super::host::{Call, JsHost, now};
use super::options;
use super::snapshot::{JsSnapshot, show};
use super::value::{JsonText, JsonValue, unless_nan};
use crate::driver::{self, Driver};
use crate::proto::{Cause, Client, Close, Input, Message, Purpose, Reason, Refusal, SocketId};
use crate::reentrancy_cell::ReentrancyCell;

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

/// One client. Every method takes the host that the client belongs to; the options have been checked in JavaScript.
#[wasm_bindgen]
pub struct Core {
    pub(super) driver: ReentrancyCell<Driver<JsonValue>>,
}

#[wasm_bindgen]
impl Core {
    /// A client with the options of its host.
    #[wasm_bindgen(constructor)]
    pub fn new(host: &JsHost, seed: f64) -> Self {
        let driver = Driver::new(options::read(host), host.client_id(), seed as u64);
        Self { driver: ReentrancyCell::new(driver) }
    }

    /// What there is to see.
    pub fn snapshot(&self) -> JsSnapshot {
        show(&self.driver.borrow_mut().client().snapshot())
    }

    /// Does what the application asks; `seq` names the message that a command is about. Says whether it was in time.
    pub fn command(&self, host: &JsHost, command: CommandName, seq: Option<f64>) -> bool {
        let mut call = self.call(host);
        let seq = seq.unwrap_or(0.0) as u64;
        let connect = match command {
            CommandName::Connect => Client::connect,
            CommandName::Reconnect => Client::reconnect,
            CommandName::TokenChanged => Client::token_changed,
            _ => {
                return driver::command(&mut call, |client, now| {
                    match command {
                        CommandName::Forget => client.forget(now),
                        CommandName::Stored => client.stored(seq, now),
                        CommandName::Cancel => return client.cancel(seq, now),
                        _ => client.disconnect(now),
                    }
                    true
                });
            }
        };
        driver::connect(&mut call, connect);
        true
    }

    /// Takes note of what happened. What is about a socket is about the client's own: JavaScript listens to no other.
    pub fn handle(&self, host: &JsHost, happening: Happening) {
        let mut call = self.call(host);
        let input = match (happening, self.socket()) {
            (Happening::Online, _) => Input::NetworkOnline,
            (Happening::Offline, _) => Input::NetworkOffline,
            (Happening::Visible, _) => Input::PageVisible,
            (Happening::Restored, _) => Input::PageRestored,
            (Happening::SocketOpened, Some(socket)) => Input::SocketOpened { socket },
            (Happening::Pong, Some(socket)) => Input::Pong { socket },
            (Happening::TokenFailed, Some(socket)) => Input::OpenFailed { socket, cause: Cause::NoToken },
            (Happening::TokenAbsent, Some(socket)) => Input::TokenAbsent { socket },
            (Happening::SocketRefused, Some(socket)) => Input::OpenFailed { socket, cause: Cause::NoSocket },
            _ => return driver::handle_timeout(&mut call),
        };
        driver::handle_input(&mut call, input, now());
    }

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

    /// The socket is closed, or its handshake failed.
    #[wasm_bindgen(js_name = socketClosed)]
    pub fn socket_closed(&self, host: &JsHost, code: u16, reason: JsonText, was_clean: bool) {
        let close = Close { code, reason: Reason::Peer(reason), was_clean };
        self.about_socket(host, |socket| Input::SocketClosed { socket, close });
    }

    /// A frame that is an envelope arrived. Says whether the application gets it.
    pub fn receive(&self, host: &JsHost, frame: JsonValue) -> bool {
        self.about_socket(host, |socket| Input::Frame { socket, frame })
    }
}

impl Core {
    const fn call<'a>(&'a self, host: &'a JsHost) -> Call<'a> {
        Call::new(self, host)
    }

    fn socket(&self) -> Option<SocketId> {
        self.driver.borrow_mut().client().socket()
    }

    /// An input about the client's socket: JavaScript listens to no other. Says whether the application gets a frame.
    fn about_socket(&self, host: &JsHost, input: impl FnOnce(SocketId) -> Input<JsonValue>) -> bool {
        let mut call = self.call(host);
        let Some(socket) = self.socket() else { return false };
        driver::handle_input(&mut call, input(socket), now());
        call.delivers_frame
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
