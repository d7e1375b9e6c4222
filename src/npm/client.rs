//! The class that the npm package wraps. No logic of its own.

use wasm_bindgen::prelude::*;

use super::codes::{CommandName, Happening};
use super::dialect;
use super::host::{Call, JsHost};
use super::options;
use super::snapshot::{JsSnapshot, show};
use super::value::{JsonText, JsonValue};
use crate::driver::{self, Driver};
use crate::proto::{Cause, Client, Close, Input, Reason, SocketId};
use crate::reentrancy_cell::ReentrancyCell;

/// One client. Every method takes the host that the client belongs to; the options have been checked in JavaScript.
#[wasm_bindgen]
pub struct Core {
    pub(super) driver: ReentrancyCell<Driver<JsonValue>>,
    #[cfg(feature = "socketio")]
    pub(super) membership: ReentrancyCell<crate::driver::socketio::Membership<JsonValue>>,
}

#[wasm_bindgen]
impl Core {
    /// A client with the options of its host.
    #[wasm_bindgen(constructor)]
    pub fn new(host: &JsHost, seed: f64) -> Self {
        let driver = Driver::new(options::read(host), host.client_id(), seed as u64);
        Self {
            driver: ReentrancyCell::new(driver),
            #[cfg(feature = "socketio")]
            membership: ReentrancyCell::new(dialect::membership(host)),
        }
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
            (Happening::Timeout, _) | (_, None) => return dialect::handle_timeout(&mut call),
            (Happening::SocketOpened, Some(socket)) => Input::SocketOpened { socket },
            (Happening::Pong, Some(socket)) => Input::Pong { socket },
            (Happening::TokenFailed, Some(socket)) => Input::OpenFailed { socket, cause: Cause::NoToken },
            (Happening::TokenAbsent, Some(socket)) => Input::TokenAbsent { socket },
            (_, Some(socket)) => Input::OpenFailed { socket, cause: Cause::NoSocket },
        };
        dialect::handle_input(&mut call, input);
    }

    /// The socket is closed, or its handshake failed.
    #[wasm_bindgen(js_name = socketClosed)]
    pub fn socket_closed(&self, host: &JsHost, code: u16, reason: JsonText, was_clean: bool) {
        let close = Close { code, reason: Reason::Peer(reason), was_clean };
        self.about_socket(host, |socket| Input::SocketClosed { socket, close });
    }
}

impl Core {
    pub(super) const fn call<'a>(&'a self, host: &'a JsHost) -> Call<'a> {
        Call::new(self, host)
    }

    fn socket(&self) -> Option<SocketId> {
        self.driver.borrow_mut().client().socket()
    }

    /// An input about the client's socket: JavaScript listens to no other. Says whether the application gets a frame.
    pub(super) fn about_socket(&self, host: &JsHost, input: impl FnOnce(SocketId) -> Input<JsonValue>) -> bool {
        let mut call = self.call(host);
        let Some(socket) = self.socket() else { return false };
        dialect::handle_input(&mut call, input(socket));
        call.delivers_frame
    }
}
