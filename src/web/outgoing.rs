//! From an event of the application to the message that waits or is sent.

use js_sys::{Error, JSON, JsString, Number, Reflect};
use wasm_bindgen::prelude::*;

use super::json_text;
use super::scope::wall_clock;
use super::value::{WebText, WebValue};
use crate::client::{SendError, SendOptions};
use crate::events::LONGEST_EVENT_NAME;
use crate::events::rules::{Classified, SessionRule, classify};
use crate::proto::wire::{self, Text as _, Value as _};
use crate::proto::{Message, Purpose};

/// An event that the application sends.
pub(crate) struct Outgoing<'a> {
    /// The type of the event.
    pub(crate) event: &'a str,
    /// A JSON object, or nothing for an empty one.
    pub(crate) data: &'a JsValue,
    /// How it waits.
    pub(crate) options: &'a SendOptions,
    /// How long to wait for the reply, if it is a request.
    pub(crate) reply_within_ms: Option<u64>,
    /// What joins and leaves sessions beside the events of the catalogues.
    pub(crate) sessions: &'a [SessionRule],
}

impl Outgoing<'_> {
    /// The message, or why there is none. Writing the data may run code of the application.
    pub(crate) fn message(&self, is_reliable: bool) -> Result<Box<Message<WebText>>, SendError> {
        // In the reliable mode, a hello is the client's own.
        if !(1..=LONGEST_EVENT_NAME).contains(&self.event.len()) || (is_reliable && self.event == "hello") {
            return Err(SendError::InvalidEvent);
        }
        let frame = self.frame()?;
        let bytes = u32::try_from(frame.utf8_len()).unwrap_or(u32::MAX);
        let Classified { purpose, coalesce, rank, .. } =
            classify(self.event, self.sessions, |name| text_of(self.data, name));
        let purpose = match purpose {
            Purpose::Ordinary if self.options.volatile => Purpose::Volatile,
            purpose => in_javascript(purpose),
        };
        let moves_between_sessions = matches!(purpose, Purpose::Join(_) | Purpose::Leave(_));
        let mut message = Message::new(frame, bytes, purpose);
        let policy = &mut message.policy;
        (policy.coalesce, policy.rank) = match &self.options.coalesce {
            _ if moves_between_sessions => (None, 0),
            Some(key) => (Some(key.as_str().into()), 0),
            None => (coalesce.map(|key| key.as_str().into()), rank),
        };
        policy.ttl_ms = self.options.ttl_ms;
        policy.reply_within_ms = self.reply_within_ms;
        Ok(message)
    }

    /// The text of the frame. The data is written first and on its own, because that can fail.
    fn frame(&self) -> Result<WebText, SendError> {
        let is_missing = self.data.is_null() || self.data.is_undefined();
        let json = if is_missing { Ok("{}".into()) } else { JSON::stringify(self.data) };
        let json = json.map_err(|cause| SendError::Unserialisable { field: String::new(), cause })?;
        // Of a function, `JSON.stringify` makes no string.
        if !json.is_string() || !json.starts_with("{", 0) {
            return Err(SendError::InvalidData);
        }
        if is_too_deep(&json) {
            let cause = Error::new(&format!("the data is nested more than {MAX_LEVELS} levels deep")).into();
            return Err(SendError::Unserialisable { field: String::new(), cause });
        }
        let write = if self.reply_within_ms.is_some() { wire::request::<WebValue> } else { wire::message };
        let WebText(empty) = write(&WebText::from(self.event), WebValue::empty(), wall_clock() as u64);
        let frame = with_data(&empty, &json);
        let may_hold_surrogates = ["\\ud", "\\uD"].iter().any(|escape| frame.includes(escape, 0));
        Ok(if may_hold_surrogates {
            WebText::from(json_text::replace_lone_surrogates(&String::from(frame)).as_str())
        } else {
            WebText(frame)
        })
    }
}

/// A frame with its data in the place of an empty object. A quotation mark in the name of the event is escaped, so the first such place is
/// the one.
fn with_data(frame: &JsString, data: &JsString) -> JsString {
    let start = frame.index_of(EMPTY_DATA, 0) + EMPTY_DATA.len() as i32;
    let start = u32::try_from(start).unwrap_or_default();
    frame.slice(0, start - "{}".len() as u32).concat(data).concat(&frame.slice(start, frame.length()))
}

const EMPTY_DATA: &str = ",\"data\":{}";

/// Whether data is nested deeper than every server reads in its envelope.
fn is_too_deep(json: &JsString) -> bool {
    // Most texts have fewer brackets than that.
    let brackets: u32 = ["{", "["].iter().map(|bracket| json.split_limit(bracket, MAX_LEVELS + 2).length() - 1).sum();
    brackets > MAX_LEVELS && json_text::is_deeper_than(MAX_LEVELS as usize, &String::from(json))
}

/// How deep arrays and objects of the data may be nested.
const MAX_LEVELS: u32 = 63;

/// The member of the data, if it is a string or a whole number.
fn text_of(data: &JsValue, name: &str) -> Option<String> {
    let member = Reflect::get(data, &name.into()).ok()?;
    let digits = || Number::is_safe_integer(&member).then(|| member.as_f64())?.map(|number| number.to_string());
    member.as_string().or_else(digits)
}

fn in_javascript(purpose: Purpose) -> Purpose<WebText> {
    let text = |name: String| name.as_str().into();
    match purpose {
        Purpose::Ordinary => Purpose::Ordinary,
        Purpose::Volatile => Purpose::Volatile,
        Purpose::Join(session) => Purpose::Join(text(session)),
        Purpose::Leave(session) => Purpose::Leave(text(session)),
        Purpose::Rejoin(session) => Purpose::Rejoin(text(session)),
    }
}
