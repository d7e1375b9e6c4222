//! The options object, read once at construction.

use alloc::boxed::Box;

use super::host;
use crate::proto::numbers::{COUNT_OF_NUMBERS, put};
use crate::proto::{Checked, Config, Overflow};

/// Reads the options of the current client, which `checkOptions` in `host.js` has approved of.
pub(super) fn config() -> Checked {
    let mut config = Box::<Config>::default();
    for index in 0..COUNT_OF_NUMBERS {
        let value = host::number(index as i32);
        if !value.is_nan() {
            put(&mut config, index, value);
        }
    }
    config.queue.overflow = match host::overflow() {
        0 => Overflow::DropOldest,
        1 => Overflow::DropNewest,
        _ => Overflow::Reject,
    };
    config.reliable = host::is_reliable();
    config.trust()
}
