//! Rust functions that JavaScript can call.

use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::{Closure, WasmClosure};

use super::counters::Counted;

/// A closure that is counted. JavaScript keeps one that is dropped while it runs until it returns.
pub(crate) struct CountedClosure<T: WasmClosure + ?Sized> {
    // Before the closure, because dropping that may panic.
    _counted: Counted,
    closure: Closure<T>,
}

impl<T: WasmClosure + ?Sized + 'static> CountedClosure<T> {
    pub(crate) fn new(function: Box<T>) -> Self {
        Self { closure: Closure::wrap(function), _counted: Counted::closure() }
    }

    /// What to call. Calling it through JavaScript turns whatever it throws, a panic included, into an error.
    pub(crate) fn function(&self) -> &Function {
        self.closure.as_ref().unchecked_ref()
    }
}
