//! The envelope: `{"type": string, "data": object, "timestamp": integer}` in one text frame.

use serde::Serialize;

use crate::{clock, outgoing::Outgoing};

pub(crate) use crate::frame::Malformed;

/// Writes an event as a text frame. Cloning the result shares its bytes.
pub fn event(kind: &str, data: &impl Serialize) -> Outgoing {
    Outgoing::text(kind, json(kind, data))
}

/// The JSON of an event.
pub fn json(kind: &str, data: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Event<'a, T> {
        r#type: &'a str,
        data: &'a T,
        timestamp: i64,
    }
    let event = Event { r#type: kind, data, timestamp: clock::epoch_ms() };
    serde_json::to_string(&event).unwrap_or_else(|error| {
        tracing::error!(%error, kind, "an event cannot be serialised");
        r#"{"type":"error","data":{"message":"internal error","code":"internal"}}"#.to_owned()
    })
}
