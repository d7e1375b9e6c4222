//! What the state machine's outputs do in the browser.

use wasm_bindgen::{JsCast, JsValue};

use super::driver::Inner;
use super::frame::Incoming;
use super::host::{self, CloseEvent, Text};
use crate::proto::{Cause, Close, Input, Output, Reason, SocketId};

impl Inner {
    pub(super) fn perform(&self, effect: Output<Text, Incoming>) {
        match effect {
            Output::Open { socket, token_refused } => {
                host::ask_for_token(self.handlers(), token_refused, socket.number(), &self.listeners.ears);
            }
            Output::Ping { .. } => {
                // A ping that the socket does not take stays unanswered, which says all there is to say.
                self.socket.send(&host::ping(), None);
            }
            Output::Hello { sender, resumes, .. } => {
                self.look(|core| {
                    for (stream, offset) in core.positions() {
                        host::note_position(self.handlers(), stream, offset as f64);
                    }
                });
                let sender = sender.map_or(JsValue::UNDEFINED, JsValue::from);
                // As with a ping, silence says all there is to say.
                self.socket.send(&host::hello(self.handlers(), &sender, resumes), None);
            }
            Output::CheckBuffer { socket } => {
                let bytes = self.socket.buffered();
                self.tell_core(Input::Buffered { socket, bytes });
            }
            Output::Close { .. } => self.socket.close(),
            Output::Abandon { .. } => self.socket.abandon(),
            Output::Transmit { .. } | Output::Event(_) => {}
        }
    }

    /// A close event, or the application's answer with a token or an error, which may be there at once.
    pub(super) fn answer(&self, attempt: u32, answer: &JsValue) {
        if attempt == 0 {
            if let Some(socket) = self.socket.closed() {
                let event: &CloseEvent = answer.unchecked_ref();
                let reason = Reason::Peer(event.reason());
                let close = Close { code: event.code(), reason, was_clean: event.was_clean() };
                self.fact(Input::SocketClosed { socket, close });
            }
            return;
        }
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
        let opened = host::open_socket(self.handlers(), token, &self.listeners.ears);
        opened.map(|socket| self.socket.set(id, socket)).is_ok()
    }

    fn open_failed(&self, socket: SocketId, cause: Cause) {
        self.fact(Input::OpenFailed { socket, cause });
    }
}
