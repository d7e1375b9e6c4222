//! Text frames and the envelopes in them. Payloads stay JavaScript values on both ways.

use js_sys::{JsString, Uint8Array};
use wasm_bindgen::prelude::*;

use super::clock;
use super::fault::Fault;
use super::handlers::{Handlers, PONG};
use crate::proto::subscriptions::Slot;
use crate::proto::{Inbound, Message, Purpose};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = JSON, catch)]
    fn parse(text: &JsValue) -> Result<RawEnvelope, JsValue>;
    #[wasm_bindgen(js_namespace = JSON, catch)]
    fn stringify(value: &JsValue) -> Result<JsValue, JsValue>;

    /// Whatever the server's JSON was; its properties may be missing or of any type.
    #[derive(Clone)]
    type RawEnvelope;
    #[wasm_bindgen(method, getter, js_name = type)]
    fn kind(this: &RawEnvelope) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn data(this: &RawEnvelope) -> JsValue;
    #[wasm_bindgen(method, setter)]
    fn set_data(this: &RawEnvelope, data: &JsValue);

    /// Several parts in one call, which js-sys has not.
    #[wasm_bindgen(extends = JsString)]
    type Text;
    #[wasm_bindgen(method)]
    fn concat(this: &Text, a: &JsValue, b: &JsValue, c: &JsValue, d: &JsValue, e: &JsValue) -> JsString;

    type TextEncoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;
    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsString) -> Uint8Array;
}

/// An envelope that arrived.
pub(crate) struct Envelope {
    raw: RawEnvelope,
    slot: Option<Slot>,
}

impl Inbound for Envelope {
    fn is_pong(&self) -> bool {
        self.slot == Some(PONG)
    }
}

impl Envelope {
    /// Reads the data of a `message` event.
    pub(crate) fn decode(text: &JsValue, handlers: &Handlers) -> Result<Self, Fault> {
        let bad = |reason| Fault::BadFrame { reason, excerpt: shortened(text) };
        let Ok(raw) = parse(text) else {
            return Err(bad(if text.is_string() { "it is not JSON" } else { "it is binary" }));
        };
        if !raw.is_object() {
            return Err(bad("it is not a JSON object"));
        }
        let kind = raw.kind();
        let slot = handlers.slot(&kind);
        match slot {
            Some(slot) if Handlers::is_reserved(slot) => Err(bad("its `type` is the name of an event of the client itself")),
            None if !kind.is_string() => Err(bad("its `type` is not a string")),
            _ => Ok(Self { raw, slot }),
        }
    }

    /// Where the handlers of this event are, if there may be any.
    pub(crate) const fn slot(&self) -> Option<Slot> {
        self.slot
    }

    /// The payload; an empty object if the server sent none.
    pub(crate) fn data(&self) -> JsValue {
        let data = self.raw.data();
        if !data.is_undefined() {
            return data;
        }
        let empty = js_sys::Object::new().into();
        self.raw.set_data(&empty);
        empty
    }

    pub(crate) fn as_js(&self) -> &JsValue {
        &self.raw
    }

    pub(crate) fn kind(&self) -> JsValue {
        self.raw.kind()
    }
}

/// Why an event cannot be put into a frame: the caller has to send something else.
pub(crate) enum EncodeError {
    /// The name of the event is missing.
    NoType,
    /// `JSON.stringify` threw: a cycle, a BigInt, or a `toJSON` that throws.
    Unserialisable(JsValue),
    /// The data is no JSON object.
    NotAnObject,
}

/// Builds a complete frame.
pub(crate) fn encode(event: &str, data: &JsValue) -> Result<Message<JsString>, EncodeError> {
    if event.is_empty() {
        return Err(EncodeError::NoType);
    }
    let json = if data.is_undefined() || data.is_null() {
        JsString::from("{}")
    } else {
        let json = stringify(data).map_err(EncodeError::Unserialisable)?;
        json.dyn_into::<JsString>().map_err(|_| EncodeError::NotAnObject)?
    };
    if !json.starts_with("{", 0) {
        return Err(EncodeError::NotAnObject);
    }
    let kind = stringify(&event.into()).map_err(EncodeError::Unserialisable)?;
    let frame = text("{\"type\":").concat(&kind, &",\"data\":".into(), &json, &timestamp(), &"}".into());
    let purpose = Purpose::of(event, |key| js_sys::Reflect::get(data, &key.into()).ok()?.as_string());
    let bytes = TextEncoder::new().encode(&frame).length();
    Ok(Message::new(frame, bytes, purpose))
}

/// The frame of the heartbeat.
pub(crate) fn ping() -> JsString {
    let nothing = JsValue::from("");
    text("{\"type\":\"ping\",\"data\":{}").concat(&timestamp(), &"}".into(), &nothing, &nothing, &nothing)
}

/// The `type` of a frame that [`encode`] built.
pub(crate) fn kind_of(frame: &JsString) -> JsValue {
    parse(frame).map_or(JsValue::UNDEFINED, |envelope| envelope.kind())
}

/// The `data` of a frame that [`encode`] built.
pub(crate) fn data_of(frame: &JsString) -> JsValue {
    parse(frame).map_or(JsValue::UNDEFINED, |envelope| envelope.data())
}

fn timestamp() -> JsValue {
    JsString::from(",\"timestamp\":").concat(&clock::epoch_ms().into()).into()
}

fn text(text: &str) -> Text {
    JsString::from(text).unchecked_into()
}

fn shortened(text: &JsValue) -> JsValue {
    text.dyn_ref::<JsString>().map_or(JsValue::NULL, |text| text.slice(0, EXCERPT_LENGTH).into())
}

/// How much of a bad frame is shown to the application, in UTF-16 units.
const EXCERPT_LENGTH: u32 = 120;
