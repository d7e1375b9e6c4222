//! What this module holds in the browser, counted so that tests can show that nothing is left behind.

use std::cell::Cell;
use std::thread::LocalKey;

thread_local! {
    static CLOSURES: Cell<u32> = const { Cell::new(0) };
    static SOCKETS: Cell<u32> = const { Cell::new(0) };
}

/// How many closures of this crate JavaScript can call.
pub(crate) fn closures() -> u32 {
    CLOSURES.get()
}

/// How many sockets are listened to.
pub(crate) fn sockets() -> u32 {
    SOCKETS.get()
}

/// Is counted as long as it lives.
pub(super) struct Counted(&'static LocalKey<Cell<u32>>);

impl Counted {
    pub(super) fn closure() -> Self {
        Self::new(&CLOSURES)
    }

    pub(super) fn socket() -> Self {
        Self::new(&SOCKETS)
    }

    fn new(counter: &'static LocalKey<Cell<u32>>) -> Self {
        counter.set(counter.get() + 1);
        Self(counter)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
