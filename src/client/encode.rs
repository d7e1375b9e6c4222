//! From a typed event to its payload.

use std::cell::Cell;

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::SendError;
use super::lossless::{Lossless, PROTOTYPE};
use crate::web::HAS_JAVASCRIPT;

/// The payload as the JavaScript value that JSON has for it. Without JavaScript, there is no such value.
pub(super) fn payload(event: &impl Serialize) -> Result<JsValue, SendError> {
    if !HAS_JAVASCRIPT {
        return Err(SendError::NoJavaScript);
    }
    let mut track = serde_path_to_error::Track::new();
    let serializer = Serializer::json_compatible();
    let names_prototype = Cell::new(false);
    event
        .serialize(serde_path_to_error::Serializer::new(Lossless::new(&serializer, &names_prototype), &mut track))
        .map_err(|error| {
            let mut field = field(&track.path());
            if names_prototype.get() {
                field += if field.is_empty() { "" } else { "." };
                field += PROTOTYPE;
            }
            SendError::Unserialisable { field, cause: error.into() }
        })
}

/// As [`payload`], for what is JSON. By its text, because the numbers of `serde_json` may be texts under the features of some other crate.
#[cfg(feature = "json")]
pub(super) fn json(data: &serde_json::Value) -> Result<JsValue, SendError> {
    js_sys::JSON::parse(&data.to_string()).map_err(|cause| SendError::Unserialisable { field: String::new(), cause })
}

fn field(path: &serde_path_to_error::Path) -> String {
    if path.iter().next().is_none() { String::new() } else { path.to_string() }
}
