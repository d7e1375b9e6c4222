//! The closures through which JavaScript reaches a client. They are made once per client.

use alloc::boxed::Box;
use alloc::rc::Weak;

use wasm_bindgen::prelude::*;

#[cfg(feature = "rust")]
use super::counters::Counted;
use super::driver::Inner;
use super::frame::Incoming;
use super::host::{self, CloseEvent};
use crate::proto::{Close, Input, Reason};

/// Every closure of one client.
pub(super) struct Listeners {
    pub(super) open: Listener,
    pub(super) message: Listener,
    pub(super) close: Listener,
    pub(super) alarm: Listener,
    pub(super) page: Listener,
    pub(super) token: TokenListener,
}

/// A closure that takes one value.
pub(super) struct Listener {
    closure: Closure<dyn Fn(JsValue)>,
    #[cfg(feature = "rust")]
    _counted: Counted,
}

/// A closure that takes the number of an attempt, whether there is a token, and the token or what went wrong.
pub(super) struct TokenListener {
    closure: Closure<dyn Fn(u32, bool, JsValue)>,
    #[cfg(feature = "rust")]
    _counted: Counted,
}

impl Listeners {
    pub(super) fn new(driver: &Weak<Inner>) -> Self {
        Self {
            open: Listener::new(driver, |driver, _| {
                if let Some(socket) = driver.socket.current() {
                    driver.fact(Input::SocketOpened { socket });
                }
            }),
            message: Listener::new(driver, |driver, event| {
                if let Some(socket) = driver.socket.current() {
                    driver.fact(Input::Frame { socket, payload: Incoming(host::decode(&event)) });
                }
            }),
            close: Listener::new(driver, |driver, event| {
                if let Some(socket) = driver.socket.closed() {
                    let event: &CloseEvent = event.unchecked_ref();
                    let reason = Reason::Peer(event.reason());
                    let close = Close { code: event.code(), reason, was_clean: event.was_clean() };
                    driver.fact(Input::SocketClosed { socket, close });
                }
            }),
            alarm: Listener::new(driver, |driver, _| {
                driver.alarm.rang();
                driver.fact(Input::Timeout);
            }),
            page: Listener::new(driver, |driver, event| {
                driver.fact(match event.as_f64() {
                    Some(0.0) => Input::NetworkOnline,
                    Some(1.0) => Input::NetworkOffline,
                    Some(2.0) => Input::PageVisible,
                    _ => Input::PageRestored,
                });
            }),
            token: TokenListener::new(driver),
        }
    }
}

impl Listener {
    fn new(driver: &Weak<Inner>, act: fn(&Inner, JsValue)) -> Self {
        let driver = driver.clone();
        let act: Box<dyn Fn(JsValue)> = Box::new(move |event| {
            if let Some(driver) = driver.upgrade() {
                act(&driver, event);
            }
        });
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

impl TokenListener {
    fn new(driver: &Weak<Inner>) -> Self {
        let driver = driver.clone();
        let act: Box<dyn Fn(u32, bool, JsValue)> = Box::new(move |attempt, is_token, value| {
            if let Some(driver) = driver.upgrade() {
                driver.token_settled(attempt, is_token, &value);
            }
        });
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
