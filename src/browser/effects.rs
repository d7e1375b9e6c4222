//! What the state machine's outputs do in the browser.

use js_sys::{Function, JsString, Promise};
use wasm_bindgen::prelude::*;

use super::driver::Inner;
use super::fault::Fault;
use super::frame::{self, Envelope};
use super::target::{self, TokenSource};
use crate::proto::{Input, Output, SocketId};

impl Inner {
    pub(super) fn perform(&self, effect: Output<JsString, Envelope>) {
        match effect {
            Output::Open { socket, token_refused } => self.ask_for_token(socket, token_refused),
            Output::Ping { socket } => {
                // A ping that the socket does not take stays unanswered, which says all there is to say.
                self.socket.send(socket, &frame::ping());
            }
            Output::Close { socket } => self.socket.close(socket),
            Output::Abandon { socket } => self.socket.abandon(socket),
            Output::Transmit { .. } | Output::Event(_) => {}
        }
    }

    fn ask_for_token(&self, socket: SocketId, refused: bool) {
        match &self.target.token {
            TokenSource::None => self.open_socket(socket, None),
            TokenSource::Fixed(token) => self.open_socket(socket, Some(token)),
            TokenSource::Function(function) => match function.call1(&JsValue::UNDEFINED, &request(refused)) {
                Ok(answer) if answer.is_object() => self.await_token(socket, &answer),
                Ok(token) => self.use_token(socket, &token),
                Err(cause) => self.token_failed(socket, cause),
            },
        }
    }

    fn await_token(&self, socket: SocketId, promise: &JsValue) {
        // One function for both ends, freed by the garbage collector even if the promise never settles.
        let this = self.this.clone();
        let settle = Closure::<dyn Fn(bool, JsValue)>::new(move |fulfilled: bool, value: JsValue| {
            if let Some(this) = this.upgrade() {
                if fulfilled {
                    this.use_token(socket, &value);
                } else {
                    this.token_failed(socket, value);
                }
            }
        })
        .into_js_value()
        .unchecked_into::<Settle>();
        let on = |fulfilled| settle.bind(&JsValue::UNDEFINED, fulfilled);
        Promise::resolve(promise).unchecked_ref::<Thenable>().then(&on(true), &on(false));
    }

    fn use_token(&self, socket: SocketId, token: &JsValue) {
        if token.is_string() {
            self.open_socket(socket, Some(token));
        } else if token.is_null() || token.is_undefined() {
            self.open_socket(socket, None);
        } else {
            self.token_failed(socket, JsValue::UNDEFINED);
        }
    }

    fn token_failed(&self, socket: SocketId, cause: JsValue) {
        if self.is_current(socket) {
            self.report(Fault::TokenFailed { cause });
            self.open_failed(socket, "the token could not be had");
        }
    }

    fn open_socket(&self, socket: SocketId, token: Option<&JsValue>) {
        // The application may have disconnected while the token was on its way.
        if !self.is_current(socket) {
            return;
        }
        let url = self.endpoint.borrow().as_ref().map(|endpoint| target::url(endpoint, token));
        let opened = match url {
            Some(Ok(url)) => self.socket.open(socket, &url),
            Some(Err(_)) | None => Err(()),
        };
        if opened.is_err() {
            self.open_failed(socket, "the browser refused to open a WebSocket");
        }
    }

    fn open_failed(&self, socket: SocketId, reason: &str) {
        self.fact(Input::OpenFailed { socket, reason: reason.into() });
    }

    fn is_current(&self, socket: SocketId) -> bool {
        self.look(|core| core.socket()) == Some(socket)
    }
}

#[wasm_bindgen]
extern "C" {
    /// A function whose first argument says which end of the promise called it.
    type Settle;
    #[wasm_bindgen(method)]
    fn bind(this: &Settle, context: &JsValue, fulfilled: bool) -> Function;

    /// A promise whose two ends are plain functions, which js-sys has not.
    type Thenable;
    #[wasm_bindgen(method)]
    fn then(this: &Thenable, fulfilled: &Function, rejected: &Function);
}

/// What the token function is told.
fn request(refused: bool) -> JsValue {
    let request = js_sys::Object::new();
    let _ = js_sys::Reflect::set(&request, &"refused".into(), &refused.into());
    request.into()
}
