//! A `RefCell` whose misuse traps instead of formatting a message, which would take two kilobytes of the npm module.

use core::cell::{RefCell, RefMut};

/// A value that is borrowed for the length of a statement and never while user code runs.
#[cfg_attr(feature = "web", derive(Default))]
pub(crate) struct ReentrancyCell<T>(RefCell<T>);

impl<T> ReentrancyCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    pub(crate) fn borrow_mut(&self) -> RefMut<'_, T> {
        self.0.try_borrow_mut().unwrap_or_else(|_| unreachable_bug())
    }

    /// Puts a value in and hands the old one out, so that it is dropped when nothing is borrowed.
    #[cfg(feature = "web")]
    pub(crate) fn replace(&self, value: T) -> T {
        core::mem::replace(&mut *self.borrow_mut(), value)
    }
}

/// Ends the program because of a bug of ours; input cannot lead here.
fn unreachable_bug() -> ! {
    #[cfg(all(target_arch = "wasm32", not(feature = "web")))]
    core::arch::wasm32::unreachable();
    #[cfg(not(all(target_arch = "wasm32", not(feature = "web"))))]
    panic!("everwire: a value is borrowed twice; please report this bug");
}
