//! Rust values as JavaScript objects.

use js_sys::{Error, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::proto::{Close, ConfigError};

/// An error that programs can tell apart by its `code`.
pub(crate) fn error(code: &str, message: &str) -> Error {
    let error = Error::new(message);
    set(&error, "code", code);
    error
}

/// The error for an option that cannot be used.
pub(super) fn config_error(source: &ConfigError) -> JsValue {
    let error = error("invalid_option", &source.to_string());
    set(&error, "field", source.field);
    set(&error, "expected", source.expected);
    error.into()
}

/// A plain object.
pub(super) fn object<const N: usize>(entries: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in entries {
        set(&object, name, value);
    }
    object.into()
}

pub(super) fn set(target: &JsValue, name: &str, value: impl Into<JsValue>) {
    // Setting a property of an object that was made here cannot fail.
    let _ = Reflect::set(target, &name.into(), &value.into());
}

pub(super) fn close(close: &Close) -> JsValue {
    object([
        ("code", close.code.into()),
        ("reason", close.reason.as_str().into()),
        ("wasClean", close.was_clean.into()),
    ])
}
