//! Reads the envelope in a text frame.

use super::reliable::Numbers;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

/// What a client sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Name of the event.
    pub kind: String,
    /// Its payload. Absent on the wire is the same as `{}`.
    pub data: Map<String, Value>,
    /// When the client says it was sent, in milliseconds since the epoch.
    pub timestamp: Option<i64>,
}

/// Why a frame is not an envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Malformed(pub String);

/// Reads a text frame: its place in a row of messages, and the event in it.
pub fn frame(text: &str) -> (Numbers, Result<Envelope, Malformed>) {
    match object(text) {
        Ok(mut object) => (Numbers::take_from(&mut object), envelope(object)),
        Err(malformed) => (Numbers::Absent, Err(malformed)),
    }
}

fn object(text: &str) -> Result<Map<String, Value>, Malformed> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        if serde_json::from_str::<IgnoredAny>(text).is_ok() {
            Malformed(format!("JSON beyond the limits: {error}"))
        } else {
            Malformed(format!("not JSON: {error}"))
        }
    })?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Malformed("not a JSON object".into())),
    }
}

fn envelope(mut object: Map<String, Value>) -> Result<Envelope, Malformed> {
    let kind = match object.remove("type") {
        Some(Value::String(kind)) if kind.len() <= MAX_TYPE_BYTES => kind,
        Some(Value::String(_)) => {
            return Err(Malformed(format!("`type` is longer than {MAX_TYPE_BYTES} bytes")));
        }
        Some(_) => return Err(Malformed("`type` must be a string".into())),
        None => return Err(Malformed("`type` is missing".into())),
    };
    let data = match object.remove("data") {
        Some(Value::Object(data)) => data,
        Some(_) => return Err(Malformed("`data` must be an object".into())),
        None => Map::new(),
    };
    let timestamp = match object.remove("timestamp") {
        Some(value) => Some(value.as_i64().ok_or_else(|| Malformed("`timestamp` must be an integer".into()))?),
        None => None,
    };
    Ok(Envelope { kind, data, timestamp })
}

/// A payload as its own type, or the reason in words.
pub fn payload<T: for<'de> Deserialize<'de>>(data: Map<String, Value>) -> Result<T, Malformed> {
    serde_json::from_value(Value::Object(data)).map_err(|error| Malformed(error.to_string()))
}

const MAX_TYPE_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Envelope, Malformed> {
        frame(text).1
    }

    fn reason(text: &str) -> String {
        parse(text).unwrap_err().0
    }

    #[test]
    fn data_and_timestamp_may_be_absent_and_extra_fields_are_ignored() {
        let envelope = parse(r#"{"type":"ping","extra":[1]}"#).unwrap();
        assert_eq!(envelope, Envelope { kind: "ping".into(), data: Map::new(), timestamp: None });
    }

    #[test]
    fn says_what_is_wrong_with_a_frame() {
        assert!(reason("{").starts_with("not JSON"));
        assert_eq!(reason("[1]"), "not a JSON object");
        assert_eq!(reason("{}"), "`type` is missing");
        assert_eq!(reason(r#"{"type":1}"#), "`type` must be a string");
        assert_eq!(reason(r#"{"type":"a","data":null}"#), "`data` must be an object");
        assert_eq!(reason(r#"{"type":"a","timestamp":1.5}"#), "`timestamp` must be an integer");
    }

    #[test]
    fn nesting_deeper_than_the_parser_allows_is_an_error_and_not_a_crash() {
        let deep = format!(r#"{{"type":"a","data":{{"x":{}{}}}}}"#, "[".repeat(4000), "]".repeat(4000));
        assert!(reason(&deep).contains("recursion limit"), "{}", reason(&deep));
    }

    #[test]
    fn a_number_too_large_for_any_type_is_an_error() {
        assert!(reason(r#"{"type":"a","data":{"x":1e999}}"#).contains("number out of range"));
    }
}
