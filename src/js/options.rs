//! The options object, read once at construction.

use wasm_bindgen::JsValue;

use super::host::option;
use crate::browser::Target;
use crate::proto::numbers::{NUMBERS, OVERFLOW};
use crate::proto::{Config, ConfigError};

/// Reads the ranges of an options object whose types are right; `undefined` stands for the default of every option.
pub(super) fn read(options: &JsValue) -> Result<(Config, Target), ConfigError> {
    let mut config = Config::default();
    for number in &NUMBERS {
        let value = option(options, number.field);
        if !value.is_undefined() {
            config.set_number(number, value.as_f64().unwrap_or(f64::NAN))?;
        }
    }
    let overflow = option(options, OVERFLOW);
    if !overflow.is_undefined() {
        config.set_overflow(overflow.as_string().as_deref())?;
    }
    let path = option(options, "path").as_string().unwrap_or_else(|| DEFAULT_PATH.into());
    Ok((config, Target { url: option(options, "url"), path, token: option(options, "token") }))
}

const DEFAULT_PATH: &str = "/api/ws";
