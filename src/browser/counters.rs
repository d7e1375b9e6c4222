//! What this module holds in the browser, counted so that tests can show that nothing is left behind.

use std::cell::Cell;
use std::thread_local;

thread_local! {
    static CLOSURES: Cell<u32> = const { Cell::new(0) };
    static SOCKETS: Cell<u32> = const { Cell::new(0) };
}

/// How many closures of the driver JavaScript can call.
pub(crate) fn closures() -> u32 {
    CLOSURES.get()
}

/// How many sockets the driver listens to.
pub(crate) fn sockets() -> u32 {
    SOCKETS.get()
}

/// Stands for one closure.
pub(crate) struct Counted(());

impl Counted {
    pub(crate) fn new() -> Self {
        CLOSURES.set(CLOSURES.get() + 1);
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        CLOSURES.set(CLOSURES.get() - 1);
    }
}

/// Takes note of a socket that is listened to from now on, or no more.
pub(super) fn count_socket(before: bool, now: bool) {
    SOCKETS.set(SOCKETS.get() + u32::from(now) - u32::from(before));
}
