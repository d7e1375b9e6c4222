//! Sockets whose texts and tokens stay in JavaScript.

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use super::closure::CountedClosure;
use super::counters::Counted;
use super::token::Opening;
use crate::proto::close::NORMAL;
use crate::reentrancy_cell::ReentrancyCell;

// The signatures of web-sys take `&str`, which copies every text and token into this module's memory and back.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = WebSocket, js_name = WebSocket)]
    type TextSocket;
    #[wasm_bindgen(constructor, catch, js_class = "WebSocket")]
    fn new(url: &JsString, protocols: &Array) -> Result<TextSocket, JsValue>;
    #[wasm_bindgen(method, catch, structural, js_name = send)]
    fn send_text(this: &TextSocket, text: &JsString) -> Result<(), JsValue>;
}

/// What listens to the sockets of one client: made once, and moved from socket to socket.
pub(super) struct SocketListeners {
    opened: CountedClosure<dyn Fn(Event)>,
    message: CountedClosure<dyn Fn(MessageEvent)>,
    closed: CountedClosure<dyn Fn(CloseEvent)>,
}

impl SocketListeners {
    pub(super) fn new(
        opened: impl Fn(Event) + 'static,
        message: impl Fn(MessageEvent) + 'static,
        closed: impl Fn(CloseEvent) + 'static,
    ) -> Self {
        Self {
            opened: CountedClosure::<dyn Fn(Event)>::new(Box::new(opened)),
            message: CountedClosure::<dyn Fn(MessageEvent)>::new(Box::new(message)),
            closed: CountedClosure::<dyn Fn(CloseEvent)>::new(Box::new(closed)),
        }
    }
}

/// A socket that is listened to. Dropping it stops the listening, so that a replaced socket cannot report any more.
pub(super) struct Socket {
    socket: TextSocket,
    /// What it says as soon as it is open.
    first: ReentrancyCell<Option<JsString>>,
    _counted: Counted,
}

/// The browser refused to make a socket. What it says about that is not handed on, because it names the URL and the subprotocols, and so the
/// token.
pub(super) struct SocketRefused;

impl Socket {
    /// Connects.
    pub(super) fn open(opening: Opening, listeners: &SocketListeners) -> Result<Self, SocketRefused> {
        let Opening { url, protocols, first } = opening;
        let socket = TextSocket::new(&url, &protocols).map_err(|_| SocketRefused)?;
        socket.set_onopen(Some(listeners.opened.function()));
        socket.set_onmessage(Some(listeners.message.function()));
        socket.set_onclose(Some(listeners.closed.function()));
        Ok(Self { socket, first: ReentrancyCell::new(first), _counted: Counted::socket() })
    }

    /// Says what comes before everything else.
    pub(super) fn greet(&self) {
        if let Some(first) = self.first.replace(None) {
            // A socket that does not take it reports its close.
            _ = self.send(&first);
        }
    }

    /// Hands a text over. Returns how many bytes wait in the browser, or `None` if the socket takes none.
    pub(super) fn send(&self, text: &JsString) -> Option<u64> {
        if self.socket.ready_state() != WebSocket::OPEN {
            return None;
        }
        self.socket.send_text(text).ok().map(|()| self.buffered())
    }

    /// How many bytes wait in the browser.
    pub(super) fn buffered(&self) -> u64 {
        self.socket.buffered_amount().into()
    }

    /// Whatever happens to the socket from now on is not reported.
    pub(super) fn stop_listening(&self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
    }

    /// Starts the closing handshake.
    pub(super) fn close(&self) {
        // Closing with 1000 keeps Firefox from delaying the next connection, and no browser refuses that code.
        _ = self.socket.close_with_code(NORMAL);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.stop_listening();
    }
}
