//! A `RefCell` whose misuse traps instead of formatting a message, which would take two kilobytes.

use core::cell::{Ref, RefCell, RefMut};

/// A value that is borrowed for the length of a statement and never while user code runs.
#[derive(Default)]
pub(crate) struct Held<T>(RefCell<T>);

impl<T> Held<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    pub(crate) fn borrow(&self) -> Ref<'_, T> {
        self.0.try_borrow().unwrap_or_else(|_| crate::bug())
    }

    pub(crate) fn borrow_mut(&self) -> RefMut<'_, T> {
        self.0.try_borrow_mut().unwrap_or_else(|_| crate::bug())
    }

    /// Puts a value in and hands the old one out, so that it is dropped when nothing is borrowed.
    #[cfg(feature = "rust")]
    pub(crate) fn replace(&self, value: T) -> T {
        core::mem::replace(&mut *self.borrow_mut(), value)
    }
}
