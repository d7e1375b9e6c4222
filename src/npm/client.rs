//! The class that the npm package wraps. No logic of its own.

use alloc::boxed::Box;
use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

use super::codes::{CommandName, Happening, PurposeName, SendOutcome};
use super::host::{Call, JsHost, now};
use super::options;
use super::snapshot::{JsSnapshot, show};
use super::value::{JsonText, JsonValue};
use crate::driver::{self, Driver};
use crate::proto::{Cause, Client, Close, Input, Message, Purpose, Reason, SocketId, Timestamp};
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

    /// Does what the application asks.
    pub fn command(&self, host: &JsHost, command: CommandName) {
        let mut call = self.call(host);
        match command {
            CommandName::Connect => driver::connect(&mut call, Client::connect),
            CommandName::Reconnect => driver::connect(&mut call, Client::reconnect),
            CommandName::Forget => driver::command(&mut call, Client::forget),
            _ => driver::command(&mut call, Client::disconnect),
        }
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
            (Happening::TokenFailed, Some(socket)) => Input::OpenFailed { socket, cause: Cause::NoToken },
            (Happening::SocketRefused, Some(socket)) => Input::OpenFailed { socket, cause: Cause::NoSocket },
            _ => return driver::handle_timeout(&mut call),
        };
        driver::handle_input(&mut call, input, now());
    }

    /// Sends a message, or queues it. An accepted one has the number of `latestSeq`.
    pub fn send(&self, host: &JsHost, message: &JsMessage) -> SendOutcome {
        driver::send(&mut self.call(host), read(message)).map(|(sent, _)| sent).into()
    }

    /// The number of the message that was accepted last.
    #[wasm_bindgen(getter, js_name = latestSeq)]
    pub fn latest_seq(&self) -> f64 {
        self.driver.borrow_mut().client().latest_seq() as f64
    }

    /// The size of the largest message that this client and the server of the latest connection take, in bytes.
    #[wasm_bindgen(getter, js_name = maxMessageBytes)]
    pub fn max_message_bytes(&self) -> u32 {
        self.driver.borrow_mut().client().max_message_bytes()
    }

    /// Takes over a message that a previous client instance has left, in front of every other.
    pub fn restore(&self, host: &JsHost, message: &JsMessage) {
        let mut restored = read(message);
        restored.origin = message.origin();
        (restored.seq, restored.age_ms) = (message.seq() as u64, message.age_ms() as u64);
        driver::command(&mut self.call(host), |client, now| client.restore(Vec::from([restored]), now));
    }

    /// A durable message is on disk, or cannot be.
    pub fn stored(&self, host: &JsHost, seq: f64) {
        driver::command(&mut self.call(host), |client, now| client.stored(seq as u64, now));
    }

    /// Takes back a message that was not sent yet; false if it is too late.
    pub fn cancel(&self, host: &JsHost, seq: f64) -> bool {
        driver::command(&mut self.call(host), |client, now| client.cancel(seq as u64, now))
    }

    /// Whether an attempt is still wanted: the application may have disconnected while its token was on the way.
    #[wasm_bindgen(js_name = isAwaited)]
    pub fn is_awaited(&self, attempt: u32) -> bool {
        self.socket().is_some_and(|socket| socket.number() == attempt)
    }

    /// The socket is closed, or its handshake failed.
    #[wasm_bindgen(js_name = socketClosed)]
    pub fn socket_closed(&self, host: &JsHost, code: u16, reason: JsonText, was_clean: bool) {
        let close = Close { code, reason: Reason::Peer(reason), was_clean };
        self.about_socket(host, now(), |socket| Input::SocketClosed { socket, close });
    }

    /// A frame that is an envelope arrived, at a time of `performance.now()`. Says whether the application gets it.
    pub fn receive(&self, host: &JsHost, frame: JsonValue, at: f64) -> bool {
        let at = Timestamp::from_millis(at as u64);
        self.about_socket(host, at, |socket| Input::Frame { socket, frame })
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
    fn about_socket(&self, host: &JsHost, at: Timestamp, input: impl FnOnce(SocketId) -> Input<JsonValue>) -> bool {
        let mut call = self.call(host);
        let Some(socket) = self.socket() else { return false };
        driver::handle_input(&mut call, input(socket), at);
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
    outgoing.policy.ttl_ms = millis(message.ttl_ms());
    outgoing.policy.awaits_storage = message.is_durable();
    outgoing.policy.reply_within_ms = millis(message.timeout_ms());
    outgoing
}

/// Infinity becomes the largest number, which means "for ever".
fn millis(number: f64) -> Option<u64> {
    super::value::unless_nan(number)
}
