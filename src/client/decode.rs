//! From a payload to a typed event.

use js_sys::Object;
use serde::de::DeserializeOwned;
use serde_path_to_error::Path;
use serde_wasm_bindgen::Deserializer;
use wasm_bindgen::{JsCast, JsValue};

use super::ClientError;
use super::as_json::AsJson;

/// Where a value has not the shape that was asked for, and what was expected there.
pub(super) struct DecodeError {
    pub(super) field: String,
    pub(super) reason: String,
}

/// Decodes the payload of `event`.
pub(super) fn payload<E: DeserializeOwned>(event: &str, data: JsValue) -> Result<E, ClientError> {
    value(data).map_err(|DecodeError { field, reason }| ClientError::Undecodable { event: event.into(), field, reason })
}

/// Decodes any value from the server.
pub(super) fn value<T: DeserializeOwned>(data: JsValue) -> Result<T, DecodeError> {
    if is_deeper_than(MAX_DEPTH, &data) {
        let reason = format!("expected at most {MAX_DEPTH} levels of nesting");
        return Err(DecodeError { field: String::new(), reason });
    }
    serde_path_to_error::deserialize(AsJson(Deserializer::from(data))).map_err(|error| {
        let text = error.inner().to_string();
        let text = text.strip_prefix("Error: ").unwrap_or(&text);
        DecodeError { field: shortened(field(error.path(), text)), reason: shortened(reason(text)) }
    })
}

/// The path of the field that is wrong: a missing one is not part of the path that was walked.
fn field(path: &Path, text: &str) -> String {
    let walked = if path.iter().next().is_none() { String::new() } else { path.to_string() };
    match text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(missing) if walked.is_empty() => missing.into(),
        Some(missing) => format!("{walked}.{missing}"),
        None => walked,
    }
}

/// What serde's message says about the type, without what it says about the value, which may be a secret.
fn reason(text: &str) -> String {
    if text.starts_with("missing field `") {
        return "it is missing".into();
    }
    if let Some((_, expected)) = text.rsplit_once(", expected ") {
        return format!("expected {expected}");
    }
    if text.starts_with("data did not match any variant of untagged enum ") {
        return "it has none of the accepted shapes".into();
    }
    "it has a value that is not accepted".into()
}

/// Whether arrays and objects are nested in each other more than `levels` deep.
fn is_deeper_than(levels: u32, value: &JsValue) -> bool {
    value.is_object()
        && (levels == 0 || Object::values(value.unchecked_ref()).iter().any(|part| is_deeper_than(levels - 1, &part)))
}

fn shortened(text: String) -> String {
    if text.chars().count() <= LONGEST_TEXT { text } else { text.chars().take(LONGEST_TEXT).chain(['…']).collect() }
}

/// As deep as `serde_json` goes. Decoding recurses, and a stack that overflows takes the whole module with it.
const MAX_DEPTH: u32 = 128;
/// Names of fields come from the server where a type takes any, so they may be of any length.
const LONGEST_TEXT: usize = 200;
