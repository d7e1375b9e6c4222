//! Timers.

use gloo_timers::callback::Timeout;

use super::counters::Counted;

/// A call at a later time, unless it is dropped before.
pub(crate) struct Alarm {
    _timeout: Timeout,
    _counted: Counted,
}

impl Alarm {
    /// Calls `ring` after so many milliseconds, or after 2³¹ − 1 if that is sooner.
    pub(crate) fn new(delay_ms: u64, ring: impl FnOnce() + 'static) -> Self {
        // Browsers take a longer wait for none (HTML, section 8.7).
        let delay_ms = u32::try_from(delay_ms).unwrap_or(u32::MAX).min(i32::MAX.cast_unsigned());
        Self { _timeout: Timeout::new(delay_ms, ring), _counted: Counted::closure() }
    }
}
