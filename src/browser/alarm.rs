//! The one timer of a client.

use core::cell::Cell;

use wasm_bindgen::JsValue;

use super::host::{self, Ears};
use crate::proto::Timestamp;

/// A timeout that is armed anew only when its deadline changes.
pub(super) struct Alarm {
    deadline: Cell<Timestamp>,
    timeout: Cell<JsValue>,
}

impl Alarm {
    pub(super) const fn new() -> Self {
        Self { deadline: Cell::new(Timestamp::NEVER), timeout: Cell::new(JsValue::UNDEFINED) }
    }

    /// Makes `ears` hear of the alarm at `deadline`, or as close to it as browsers' timers reach; an early one is harmless.
    pub(super) fn arm(&self, deadline: Timestamp, now: Timestamp, ears: &Ears) {
        if self.deadline.replace(deadline) == deadline {
            return;
        }
        host::clear_timeout(&self.timeout.take());
        if deadline < Timestamp::NEVER {
            let delay = deadline.since(now).min(LONGEST_DELAY_MS);
            self.timeout.set(host::set_alarm(ears, delay as i32));
        }
    }

    /// Takes note that the timeout has run, so that the same deadline can be armed again.
    pub(super) fn rang(&self) {
        self.deadline.set(Timestamp::NEVER);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        host::clear_timeout(&self.timeout.take());
    }
}

/// Browsers fire longer timeouts at once (WHATWG HTML, timers: the delay is a signed 32-bit integer).
const LONGEST_DELAY_MS: u64 = i32::MAX as u64;
