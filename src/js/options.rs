//! The options object, read once at construction.

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::*;

use crate::browser::{Target, TokenSource};
use crate::proto::numbers::{NUMBERS, OVERFLOW};
use crate::proto::{Config, ConfigError};

/// Reads what the constructor was given; `undefined` stands for the defaults, as a whole and for every option.
pub(super) fn read(options: &JsValue) -> Result<(Config, Target), ConfigError> {
    if !options.is_undefined() && !options.is_object() {
        return Err(ConfigError { field: "options", expected: "an object" });
    }
    let mut config = Config::default();
    for number in &NUMBERS {
        let value = lookup(options, number.field)?;
        if !value.is_undefined() {
            let value = value.as_f64().ok_or_else(|| number.error())?;
            config.set_number(number, value)?;
        }
    }
    let overflow = lookup(options, OVERFLOW)?;
    if !overflow.is_undefined() {
        config.set_overflow(overflow.as_string().as_deref())?;
    }
    config.validate()?;
    let target = Target {
        url: string(options, "url")?,
        path: string(options, "path")?.unwrap_or_else(|| DEFAULT_PATH.into()),
        token: token(options)?,
    };
    Ok((config, target))
}

/// The option at a path of at most two names. A group that is given must be an object.
fn lookup(options: &JsValue, field: &'static str) -> Result<JsValue, ConfigError> {
    match field.split_once('.') {
        None => Ok(property(options, field)),
        Some((group, name)) => {
            let values = property(options, group);
            if values.is_undefined() || values.is_object() {
                Ok(property(&values, name))
            } else {
                Err(ConfigError { field: group, expected: "an object" })
            }
        }
    }
}

fn string(options: &JsValue, field: &'static str) -> Result<Option<String>, ConfigError> {
    let value = property(options, field);
    if value.is_undefined() {
        return Ok(None);
    }
    value.as_string().map(Some).ok_or(ConfigError { field, expected: "a string" })
}

fn token(options: &JsValue) -> Result<TokenSource, ConfigError> {
    let value = property(options, "token");
    if value.is_undefined() {
        Ok(TokenSource::None)
    } else if value.is_string() {
        Ok(TokenSource::Fixed(value))
    } else {
        let function = value.dyn_into::<Function>();
        function.map(TokenSource::Function).map_err(|_| ConfigError {
            field: "token",
            expected: "a string, or a function that returns a string, null, or a promise of either",
        })
    }
}

fn property(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

const DEFAULT_PATH: &str = "/api/ws";
