//! The options object, read once at construction.

use alloc::boxed::Box;

use wasm_bindgen::{JsCast, JsValue};

use super::host::{self, Options};
use crate::browser::Target;
use crate::proto::numbers::NUMBERS;
use crate::proto::{Checked, Config, Overflow};

/// Reads an options object whose types and ranges are known to be right.
pub(super) fn config(options: &JsValue) -> Result<Checked, JsValue> {
    let mut config = Box::<Config>::default();
    for (index, number) in NUMBERS.iter().enumerate() {
        let value = host::number(options, index as u32);
        if !value.is_nan() {
            number.put(&mut config, value);
        }
    }
    config.queue.overflow = match host::overflow(options) {
        0 => Overflow::DropOldest,
        1 => Overflow::DropNewest,
        _ => Overflow::Reject,
    };
    config.check_order().map_err(|_| host::order_error())
}

/// Reads where to connect.
pub(super) fn target(options: &JsValue) -> Target {
    let options: &Options = options.unchecked_ref();
    Target { url: options.url(), path: options.path(), token: options.token() }
}
