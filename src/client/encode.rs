//! From a typed event to its payload.

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use super::SendError;
use crate::web::HAS_JAVASCRIPT;

/// The payload as the JavaScript value that JSON has for it. Without JavaScript, there is no such value.
pub(super) fn payload(event: &impl Serialize) -> Result<JsValue, SendError> {
    if !HAS_JAVASCRIPT {
        return Err(SendError::NoJavaScript);
    }
    let mut track = serde_path_to_error::Track::new();
    let serializer = Serializer::json_compatible();
    event
        .serialize(serde_path_to_error::Serializer::new(&serializer, &mut track))
        .map_err(|error| SendError::Unserialisable { field: field(&track.path()), cause: error.into() })
}

/// As [`payload`], for what is JSON. By its text, because the numbers of `serde_json` may be texts under the features of some other crate.
#[cfg(feature = "json")]
pub(super) fn json(data: &serde_json::Value) -> Result<JsValue, SendError> {
    js_sys::JSON::parse(&data.to_string()).map_err(|cause| SendError::Unserialisable { field: String::new(), cause })
}

fn field(path: &serde_path_to_error::Path) -> String {
    if path.iter().next().is_none() { String::new() } else { path.to_string() }
}
