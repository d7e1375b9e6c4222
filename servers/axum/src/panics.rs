//! Panics of what the application has given, which end nothing but themselves.

use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs something of the application's; `None` if it panics.
pub fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(discard).ok()
}

/// Forgets what a panic has brought. To drop it runs code of the application, which may panic as well.
pub fn discard(brought: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(brought))) {
        mem::forget(again);
    }
}

#[cfg(test)]
mod tests {
    use super::caught;

    struct Explosive;

    impl Drop for Explosive {
        fn drop(&mut self) {
            std::panic::panic_any(Self)
        }
    }

    #[test]
    fn a_panic_whose_payload_panics_is_caught() {
        assert_eq!(caught(|| 7), Some(7));
        assert_eq!(caught(|| std::panic::panic_any(Explosive)), None::<()>);
    }
}
