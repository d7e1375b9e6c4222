//! The time of day for a conversation.

use std::cell::Cell;

use crate::web::{HAS_JAVASCRIPT, wall_clock};

/// Goes on where the clock of the device is set back, so that nothing waits for what it has shown before.
#[derive(Default)]
pub(super) struct Clock {
    latest: Cell<i64>,
    set_back_ms: Cell<i64>,
}

impl Clock {
    /// The time in milliseconds since 1970. Zero where there is no JavaScript.
    pub(super) fn now(&self) -> i64 {
        let shown = if HAS_JAVASCRIPT { wall_clock() as i64 } else { 0 };
        let back = (self.latest.replace(shown) - shown).max(0);
        self.set_back_ms.set(self.set_back_ms.get() + back);
        shown + self.set_back_ms.get()
    }
}
