//! What this module holds in the browser, counted so that tests can show that nothing is left behind.

use std::cell::Cell;
use std::ops::Deref;

use wasm_bindgen::closure::{Closure, WasmClosure};

thread_local! {
    static CLOSURES: Cell<u32> = const { Cell::new(0) };
    static SOCKETS: Cell<u32> = const { Cell::new(0) };
}

/// How many closures of the driver JavaScript can call.
#[cfg(feature = "rust")]
pub(crate) fn closures() -> u32 {
    CLOSURES.get()
}

/// How many sockets the driver listens to.
#[cfg(feature = "rust")]
pub(crate) fn sockets() -> u32 {
    SOCKETS.get()
}

/// A closure that is counted while it lives.
pub(crate) struct Counted<T: WasmClosure + ?Sized>(Closure<T>);

impl<T: WasmClosure + ?Sized> Counted<T> {
    pub(crate) fn new(closure: Closure<T>) -> Self {
        CLOSURES.set(CLOSURES.get() + 1);
        Self(closure)
    }
}

impl<T: WasmClosure + ?Sized> Deref for Counted<T> {
    type Target = Closure<T>;

    fn deref(&self) -> &Closure<T> {
        &self.0
    }
}

impl<T: WasmClosure + ?Sized> Drop for Counted<T> {
    fn drop(&mut self) {
        CLOSURES.set(CLOSURES.get() - 1);
    }
}

/// Stands for one socket that is listened to.
pub(crate) struct SocketToken(());

impl SocketToken {
    pub(crate) fn new() -> Self {
        SOCKETS.set(SOCKETS.get() + 1);
        Self(())
    }
}

impl Drop for SocketToken {
    fn drop(&mut self) {
        SOCKETS.set(SOCKETS.get() - 1);
    }
}
