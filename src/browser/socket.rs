//! One WebSocket at a time, and the closures that all of them share.

use std::cell::RefCell;
use std::rc::Weak;

use js_sys::{Function, JsString};
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::counters::{Counted, SocketToken};
use super::driver::Inner;
use crate::proto::{Close, SocketId};

#[wasm_bindgen]
extern "C" {
    /// The constructor and `send` with JavaScript strings, which web-sys would copy in and out.
    #[wasm_bindgen(js_name = WebSocket, extends = WebSocket)]
    type TextSocket;
    #[wasm_bindgen(constructor, catch, js_class = "WebSocket")]
    fn new(url: &JsString) -> Result<TextSocket, JsValue>;
    #[wasm_bindgen(method, catch, js_class = "WebSocket")]
    fn send(this: &TextSocket, text: &JsString) -> Result<(), JsValue>;
}

/// The current socket.
pub(crate) struct Socket {
    listeners: Listeners,
    live: RefCell<Option<Live>>,
}

struct Live {
    id: SocketId,
    socket: TextSocket,
    _counted: SocketToken,
}

/// The closures are made once per client. A replaced socket's handlers are taken off first, so what calls them is always the
/// current socket.
struct Listeners {
    open: Counted<dyn Fn(JsValue)>,
    message: Counted<dyn Fn(JsValue)>,
    close: Counted<dyn Fn(JsValue)>,
}

impl Socket {
    pub(crate) fn new(driver: &Weak<Inner>) -> Self {
        Self { listeners: Listeners::new(driver), live: RefCell::new(None) }
    }

    /// Opens a WebSocket. The error is not handed on, because browsers put the URL, and so the token, into it.
    pub(crate) fn open(&self, id: SocketId, url: &JsString) -> Result<(), ()> {
        let socket = TextSocket::new(url).map_err(|_| ())?;
        socket.set_onopen(Some(function(&self.listeners.open)));
        socket.set_onmessage(Some(function(&self.listeners.message)));
        socket.set_onclose(Some(function(&self.listeners.close)));
        self.live.replace(Some(Live { id, socket, _counted: SocketToken::new() }));
        Ok(())
    }

    /// Hands a frame over; false if the socket does not take it.
    pub(crate) fn send(&self, id: SocketId, frame: &JsString) -> bool {
        self.with(id, |socket| socket.ready_state() == WebSocket::OPEN && socket.send(frame).is_ok()).unwrap_or(false)
    }

    /// Starts the closing handshake with code 1000.
    pub(crate) fn close(&self, id: SocketId) {
        self.with(id, |socket| socket.close_with_code(NORMAL).is_ok());
    }

    /// Stops listening, closes, and forgets the socket. Closing with 1000 keeps Firefox from delaying the next connection.
    pub(crate) fn abandon(&self, id: SocketId) {
        // The borrow ends before the browser is called.
        let live = self.live.borrow_mut().take_if(|live| live.id == id);
        if let Some(live) = live {
            live.let_go();
        }
    }

    /// Forgets a socket that has closed.
    fn closed(&self) -> Option<SocketId> {
        let live = self.live.take()?;
        live.stop_listening();
        Some(live.id)
    }

    fn current(&self) -> Option<SocketId> {
        self.live.borrow().as_ref().map(|live| live.id)
    }

    fn with<R>(&self, id: SocketId, act: impl FnOnce(&TextSocket) -> R) -> Option<R> {
        let socket = self.live.borrow().as_ref().filter(|live| live.id == id).map(|live| live.socket.clone())?;
        Some(act(socket.unchecked_ref()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            live.let_go();
        }
    }
}

impl Live {
    fn stop_listening(&self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
    }

    fn let_go(&self) {
        self.stop_listening();
        // Fails only for codes that browsers do not accept.
        let _ = self.socket.close_with_code(NORMAL);
    }
}

impl Listeners {
    fn new(driver: &Weak<Inner>) -> Self {
        Self {
            open: listener(driver, |driver, _| {
                if let Some(socket) = driver.socket.current() {
                    driver.opened(socket);
                }
            }),
            message: listener(driver, |driver, event| {
                if let Some(socket) = driver.socket.current() {
                    driver.frame(socket, &event.unchecked_ref::<MessageEvent>().data());
                }
            }),
            close: listener(driver, |driver, event| {
                if let Some(socket) = driver.socket.closed() {
                    let event = event.unchecked_ref::<CloseEvent>();
                    driver.closed(
                        socket,
                        Close { code: event.code(), reason: event.reason(), was_clean: event.was_clean() },
                    );
                }
            }),
        }
    }
}

/// A closure that reaches the driver while there is one.
pub(crate) fn listener(driver: &Weak<Inner>, act: impl Fn(&Inner, &JsValue) + 'static) -> Counted<dyn Fn(JsValue)> {
    let driver = driver.clone();
    Counted::new(Closure::new(move |event: JsValue| {
        if let Some(driver) = driver.upgrade() {
            act(&driver, &event);
        }
    }))
}

/// The closure as the function that JavaScript sees.
pub(crate) fn function(closure: &Counted<dyn Fn(JsValue)>) -> &Function {
    closure.as_ref().unchecked_ref()
}

const NORMAL: u16 = 1000;
