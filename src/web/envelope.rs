//! From what a socket brings to what the application gets.

use js_sys::JsString;
use wasm_bindgen::prelude::*;

use super::value::{WebText, WebValue};
use crate::client::ClientError;
use crate::proto::wire::{Field, Value as _};

#[wasm_bindgen]
extern "C" {
    // The one of js-sys takes `&str`, which copies the whole frame.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    fn parse_json(text: &JsString) -> Result<JsValue, JsValue>;
}

/// An event for the application.
pub(crate) struct Envelope {
    /// The type of the event.
    pub(crate) event: String,
    /// The data, an object.
    pub(crate) data: JsValue,
    /// The whole envelope.
    pub(crate) envelope: JsValue,
}

impl Envelope {
    /// The envelope as the application gets it, or the error that says why it does not.
    pub(crate) fn check(frame: WebValue) -> Result<Self, ClientError> {
        let Some(name) = frame.text(Field::Type) else { return Err(bad_frame(UNTYPED, Some(&frame.to_text()))) };
        let event = name.to_rust();
        if OWN_EVENTS.contains(&event.as_str()) {
            return Err(bad_frame("named like an event of the client", Some(&name)));
        }
        let frame = if frame.has(Field::Data) { frame } else { frame.with(Field::Data, WebValue::empty()) };
        match frame.object(Field::Data) {
            Some(data) => Ok(Self { event, data: data.as_js().clone(), envelope: frame.as_js().clone() }),
            None => Err(bad_frame("an envelope whose `data` is no object", Some(&frame.to_text()))),
        }
    }

    /// The type and the data in the text of an own frame.
    pub(crate) fn read_back(frame: &WebText) -> (String, JsValue) {
        let envelope = parse_json(&frame.0).ok().and_then(WebValue::new).unwrap_or_else(WebValue::empty);
        let event = envelope.text(Field::Type).map(|event| event.to_rust());
        (event.unwrap_or_default(), envelope.get(Field::Data))
    }
}

/// The object in a message of a socket. Its place in a stream counts even where it is no envelope.
pub(super) fn parse(data: JsValue) -> Result<WebValue, ClientError> {
    let text = WebText(data.dyn_into().map_err(|_| bad_frame("binary", None))?);
    let value = parse_json(&text.0).map_err(|_| bad_frame("not JSON", Some(&text)))?;
    WebValue::new(value).ok_or_else(|| bad_frame(UNTYPED, Some(&text)))
}

fn bad_frame(what: &str, text: Option<&WebText>) -> ClientError {
    let frame = text.map(|text| String::from(text.0.slice(0, LONGEST_COPY)));
    ClientError::BadFrame { text: format!("the server sent no event: the frame is {what}"), frame }
}

const UNTYPED: &str = "no JSON object with a string `type`";
/// The names of events that clients of the npm package tell of themselves, so that a server cannot pretend to be one.
const OWN_EVENTS: [&str; 8] = ["open", "close", "state", "reconnecting", "give_up", "drop", "gap", "invalid"];
/// How much of a bad frame an error shows, in UTF-16 code units.
const LONGEST_COPY: u32 = 120;
