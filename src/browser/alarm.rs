//! The one timer of a client.

use std::cell::{Cell, RefCell};

use gloo_timers::callback::Timeout;

use crate::proto::Timestamp;

/// A timeout that is armed anew only when its deadline changes.
pub(crate) struct Alarm {
    deadline: Cell<Timestamp>,
    timeout: RefCell<Option<Timeout>>,
}

impl Alarm {
    pub(crate) const fn new() -> Self {
        Self { deadline: Cell::new(Timestamp::NEVER), timeout: RefCell::new(None) }
    }

    /// Makes `ring` run at `deadline`, or as close to it as browsers' timers reach; an early ring is harmless.
    pub(crate) fn arm(&self, deadline: Timestamp, now: Timestamp, ring: impl FnOnce() + 'static) {
        if self.deadline.replace(deadline) == deadline {
            return;
        }
        let timeout = (deadline < Timestamp::NEVER).then(|| {
            let delay = deadline.since(now).min(LONGEST_DELAY_MS);
            Timeout::new(delay as u32, ring)
        });
        self.timeout.replace(timeout);
    }

    /// Takes note that the timeout has run, so that the same deadline can be armed again.
    pub(crate) fn rang(&self) {
        self.deadline.set(Timestamp::NEVER);
    }
}

/// Browsers fire longer timeouts at once (WHATWG HTML, timers: the delay is a signed 32-bit integer).
const LONGEST_DELAY_MS: u64 = i32::MAX as u64;
