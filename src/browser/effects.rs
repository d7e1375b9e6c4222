//! What the state machine's outputs do in the browser.

use wasm_bindgen::JsValue;

use super::driver::Inner;
use super::frame::Incoming;
use super::host::{self, Text};
use super::listeners::Listeners;
use crate::proto::{Cause, Input, Output, SocketId};

impl Inner {
    pub(super) fn perform(&self, effect: Output<Text, Incoming>) {
        match effect {
            Output::Open { socket, token_refused } => {
                let settle = self.listeners.token.function();
                host::ask_for_token(&self.token, token_refused, socket.number(), settle);
            }
            Output::Ping { .. } => {
                // A ping that the socket does not take stays unanswered, which says all there is to say.
                self.socket.send(&host::ping());
            }
            Output::Close { .. } => self.socket.close(),
            Output::Abandon { .. } => self.socket.abandon(),
            Output::Transmit { .. } | Output::Event(_) => {}
        }
    }

    /// The application has answered with a token or with an error, or the token was there at once.
    pub(super) fn token_settled(&self, attempt: u32, answer: &JsValue) {
        // The application may have disconnected while the token was on its way.
        let Some(socket) = self.look(|core| core.socket()).filter(|socket| socket.number() == attempt) else { return };
        if host::is_error(answer) {
            self.face().failed(self, answer);
            self.open_failed(socket, Cause::NoToken);
        } else if !self.open_socket(socket, answer) {
            self.open_failed(socket, Cause::NoSocket);
        }
    }

    /// The error is not handed on, because browsers put the URL, and so the token, into it.
    fn open_socket(&self, id: SocketId, token: &JsValue) -> bool {
        // A clone, because a stand-in for WebSocket may call back while it is made.
        let Some(endpoint) = self.endpoint.borrow().clone() else { return false };
        let Listeners { open, message, close, .. } = &self.listeners;
        let opened = host::open_socket(&endpoint, token, open.function(), message, close);
        opened.map(|socket| self.socket.set(id, socket)).is_ok()
    }

    fn open_failed(&self, socket: SocketId, cause: Cause) {
        self.fact(Input::OpenFailed { socket, cause });
    }
}
