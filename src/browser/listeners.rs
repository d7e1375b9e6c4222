//! The closures through which JavaScript reaches a client. They are made once per client.

use alloc::boxed::Box;
use alloc::rc::Weak;

use wasm_bindgen::closure::WasmClosure;
use wasm_bindgen::prelude::*;

#[cfg(feature = "rust")]
use super::counters::Counted;
use super::driver::Inner;
use super::host::{self, CloseEvent, Handlers};
use crate::proto::{Close, Input, Reason};

/// Every closure of one client. There are two types of them, because each type has its code.
pub(super) struct Listeners {
    pub(super) open: Signal,
    /// The script's own functions, which read an event and call `_heard` and `_closed`.
    pub(super) message: JsValue,
    pub(super) close: JsValue,
    _heard: Signal,
    _closed: Answer,
    pub(super) alarm: Signal,
    pub(super) page: Signal,
    pub(super) token: Answer,
}

/// Takes a number and a flag, and has a yes or no to say.
type Signal = Listener<dyn Fn(f64, bool) -> bool>;
/// Takes a number and a value.
type Answer = Listener<dyn Fn(u32, JsValue)>;

/// A closure that is counted where tests can ask for the count.
pub(super) struct Listener<T: WasmClosure + ?Sized> {
    closure: Closure<T>,
    #[cfg(feature = "rust")]
    _counted: Counted,
}

impl Listeners {
    pub(super) fn new(driver: &Weak<Inner>, handlers: &Handlers) -> Self {
        let heard = signal(driver, Inner::heard);
        let closed = answer(driver, |driver, code, event| {
            if let Some(socket) = driver.socket.closed() {
                let event: &CloseEvent = event.unchecked_ref();
                let reason = Reason::Peer(event.reason());
                let close = Close { code: code as u16, reason, was_clean: event.was_clean() };
                driver.fact(Input::SocketClosed { socket, close });
            }
        });
        Self {
            open: signal(driver, |driver, _, _| {
                if let Some(socket) = driver.socket.current() {
                    driver.fact(Input::SocketOpened { socket });
                }
                false
            }),
            message: host::frame_listener(handlers, heard.function()),
            close: host::close_listener(closed.function()),
            _heard: heard,
            _closed: closed,
            alarm: signal(driver, |driver, _, _| {
                driver.alarm.rang();
                driver.fact(Input::Timeout);
                false
            }),
            page: signal(driver, |driver, news, _| {
                driver.fact(match news as u32 {
                    0 => Input::NetworkOnline,
                    1 => Input::NetworkOffline,
                    2 => Input::PageVisible,
                    _ => Input::PageRestored,
                });
                false
            }),
            token: answer(driver, |driver, attempt, answer| driver.token_settled(attempt, &answer)),
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

fn signal(driver: &Weak<Inner>, act: fn(&Inner, f64, bool) -> bool) -> Signal {
    let driver = driver.clone();
    Listener::new(Box::new(move |number, flag| driver.upgrade().is_some_and(|driver| act(&driver, number, flag))))
}

fn answer(driver: &Weak<Inner>, act: fn(&Inner, u32, JsValue)) -> Answer {
    let driver = driver.clone();
    Listener::new(Box::new(move |number, value| {
        if let Some(driver) = driver.upgrade() {
            act(&driver, number, value);
        }
    }))
}
