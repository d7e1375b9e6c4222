//! The options object, read once at construction.

use alloc::boxed::Box;

use wasm_bindgen::JsValue;

use super::host::{option, overflow};
use crate::browser::Target;
use crate::proto::numbers::NUMBERS;
use crate::proto::{Checked, Config, ConfigError, Overflow};

/// Reads the ranges of an options object whose types are right; `undefined` stands for the default of every option.
pub(super) fn read(options: &JsValue) -> Result<Checked, ConfigError> {
    let mut config = Box::<Config>::default();
    for number in &NUMBERS {
        let value = option(options, number.field);
        if !value.is_undefined() {
            number.set(&mut config, value.as_f64().unwrap_or(f64::NAN))?;
        }
    }
    config.queue.overflow = match overflow(options) {
        0 => Overflow::DropOldest,
        1 => Overflow::DropNewest,
        _ => Overflow::Reject,
    };
    config.check_order()
}

/// Reads where to connect.
pub(super) fn target(options: &JsValue) -> Target {
    Target { url: option(options, "url"), path: option(options, "path"), token: option(options, "token") }
}
