//! Reads the envelope in a text frame.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{reliable::Numbers, scan::Scan};

/// What a client sent.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Name of the event.
    pub kind: String,
    /// Its payload, an object. Absent on the wire is the same as `{}`.
    ///
    /// It stays text until someone knows what it has to be: as a tree of values it would take up to ninety times the room.
    pub data: Box<RawValue>,
    /// When the client says it was sent, in milliseconds since the epoch.
    pub timestamp: Option<i64>,
}

/// Why a frame is not an envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Malformed(pub String);

impl Envelope {
    /// Bytes that it takes to keep.
    pub fn size(&self) -> usize {
        self.kind.len() + self.data.get().len()
    }
}

/// Reads a text frame: its place in a row of messages, and the event in it. The former is found even where the latter is not.
pub fn frame(text: &str) -> (Numbers, Result<Envelope, Malformed>) {
    (Scan::text(text), envelope(text))
}

fn envelope(text: &str) -> Result<Envelope, Malformed> {
    serde_json::from_str::<WellFormed>(text).map_err(|error| {
        if serde_json::from_str::<IgnoredAny>(text).is_ok() {
            Malformed(format!("JSON beyond the limits: {error}"))
        } else {
            Malformed(format!("not JSON: {error}"))
        }
    })?;
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Malformed("not a JSON object".into()));
    }
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|error| Malformed(error.to_string()))?;
    let kind = match fields.kind.map(|kind| serde_json::from_str::<String>(kind.get())) {
        Some(Ok(kind)) if kind.len() <= MAX_TYPE_BYTES => kind,
        Some(Ok(_)) => return Err(Malformed(format!("`type` is longer than {MAX_TYPE_BYTES} bytes"))),
        Some(Err(_)) => return Err(Malformed("`type` must be a string".into())),
        None => return Err(Malformed("`type` is missing".into())),
    };
    let data = match fields.data {
        Some(data) if data.get().starts_with('{') => data.to_owned(),
        Some(_) => return Err(Malformed("`data` must be an object".into())),
        None => RawValue::from_string("{}".into()).map_err(|error| Malformed(error.to_string()))?,
    };
    let timestamp = match fields.timestamp.map(|timestamp| serde_json::from_str(timestamp.get())) {
        Some(Ok(timestamp)) => Some(timestamp),
        Some(Err(_)) => return Err(Malformed("`timestamp` must be an integer".into())),
        None => None,
    };
    Ok(Envelope { kind, data, timestamp })
}

/// A payload as its own type, or the reason in words.
pub fn payload<T: for<'de> Deserialize<'de>>(data: &RawValue) -> Result<T, Malformed> {
    serde_json::from_str(data.get()).map_err(|error| Malformed(error.to_string()))
}

/// The fields of an envelope as text, `null` not being the same as none.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "present")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    timestamp: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// JSON that a reader can take in whole: numbers in their range, strings of Unicode, nesting within the limit. Unlike [`IgnoredAny`],
/// which skips, it looks at everything; unlike a tree of values, it keeps nothing.
struct WellFormed;

impl<'de> Deserialize<'de> for WellFormed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for WellFormed {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
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
        assert_eq!((&*envelope.kind, envelope.data.get(), envelope.timestamp), ("ping", "{}", None));
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
