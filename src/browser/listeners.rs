//! The closures through which JavaScript reaches a client. They are made once per client.

use alloc::boxed::Box;
use alloc::rc::Weak;

use wasm_bindgen::closure::WasmClosure;
use wasm_bindgen::prelude::*;

#[cfg(feature = "rust")]
use super::counters::Counted;
use super::driver::Inner;
use super::frame::Incoming;
use super::host::{self, CloseEvent};
use crate::proto::{Close, Input, Reason};

/// Every closure of one client.
pub(super) struct Listeners {
    pub(super) open: Listener<dyn Fn(JsValue)>,
    pub(super) message: Listener<dyn Fn(JsValue)>,
    pub(super) close: Listener<dyn Fn(JsValue)>,
    pub(super) alarm: Listener<dyn Fn(JsValue)>,
    pub(super) page: Listener<dyn Fn(u32, JsValue)>,
    pub(super) token: Listener<dyn Fn(u32, JsValue)>,
}

/// A closure that is counted where tests can ask for the count.
pub(super) struct Listener<T: WasmClosure + ?Sized> {
    closure: Closure<T>,
    #[cfg(feature = "rust")]
    _counted: Counted,
}

impl Listeners {
    pub(super) fn new(driver: &Weak<Inner>) -> Self {
        Self {
            open: on_event(driver, |driver, _| {
                if let Some(socket) = driver.socket.current() {
                    driver.fact(Input::SocketOpened { socket });
                }
            }),
            message: on_event(driver, |driver, event| {
                if let Some(socket) = driver.socket.current() {
                    driver.fact(Input::Frame { socket, payload: Incoming(host::decode(&event)) });
                }
            }),
            close: on_event(driver, |driver, event| {
                if let Some(socket) = driver.socket.closed() {
                    let event: &CloseEvent = event.unchecked_ref();
                    let reason = Reason::Peer(event.reason());
                    let close = Close { code: event.code(), reason, was_clean: event.was_clean() };
                    driver.fact(Input::SocketClosed { socket, close });
                }
            }),
            alarm: on_event(driver, |driver, _| {
                driver.alarm.rang();
                driver.fact(Input::Timeout);
            }),
            page: on_number(driver, |driver, news, _| {
                driver.fact(match news {
                    0 => Input::NetworkOnline,
                    1 => Input::NetworkOffline,
                    2 => Input::PageVisible,
                    _ => Input::PageRestored,
                });
            }),
            token: on_number(driver, |driver, attempt, answer| driver.token_settled(attempt, &answer)),
        }
    }
}

impl<T: WasmClosure + ?Sized> Listener<T> {
    fn new(act: Box<T>) -> Self {
        Self {
            closure: Closure::wrap(act),
            #[cfg(feature = "rust")]
            _counted: Counted::new(),
        }
    }

    /// The function that JavaScript sees.
    pub(super) fn function(&self) -> &JsValue {
        self.closure.as_ref()
    }
}

fn on_event(driver: &Weak<Inner>, act: fn(&Inner, JsValue)) -> Listener<dyn Fn(JsValue)> {
    let driver = driver.clone();
    Listener::new(Box::new(move |event| {
        if let Some(driver) = driver.upgrade() {
            act(&driver, event);
        }
    }))
}

fn on_number(driver: &Weak<Inner>, act: fn(&Inner, u32, JsValue)) -> Listener<dyn Fn(u32, JsValue)> {
    let driver = driver.clone();
    Listener::new(Box::new(move |number, value| {
        if let Some(driver) = driver.upgrade() {
            act(&driver, number, value);
        }
    }))
}
