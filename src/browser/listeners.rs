//! The closures through which JavaScript reaches a client. They are made once per client.

use alloc::boxed::Box;
use alloc::rc::Weak;

use wasm_bindgen::closure::WasmClosure;
use wasm_bindgen::prelude::*;

#[cfg(feature = "rust")]
use super::counters::Counted;
use super::driver::Inner;
use super::host::{self, Ears, Handlers};

/// Both closures of one client, and the script's own functions that call them. There is one for each type, because each type
/// has its code.
pub(super) struct Listeners {
    pub(super) ears: Ears,
    _signal: Listener<dyn Fn(f64, u32, f64, f64, f64) -> bool>,
    _answer: Listener<dyn Fn(u32, JsValue)>,
}

/// A closure that is counted where tests can ask for the count.
struct Listener<T: WasmClosure + ?Sized> {
    closure: Closure<T>,
    #[cfg(feature = "rust")]
    _counted: Counted,
}

impl Listeners {
    pub(super) fn new(driver: &Weak<Inner>, handlers: &Handlers) -> Self {
        let weak = driver.clone();
        let signal: Listener<dyn Fn(f64, u32, f64, f64, f64) -> bool> =
            Listener::new(Box::new(move |now, fact, a, b, c| {
                weak.upgrade().is_some_and(|driver| driver.signal(now, fact, [a, b, c].map(|number| number as u64)))
            }));
        let weak = driver.clone();
        let answer: Listener<dyn Fn(u32, JsValue)> = Listener::new(Box::new(move |attempt, value| {
            if let Some(driver) = weak.upgrade() {
                driver.answer(attempt, &value);
            }
        }));
        let ears = host::new_ears(handlers, signal.closure.as_ref(), answer.closure.as_ref());
        Self { ears, _signal: signal, _answer: answer }
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
}
