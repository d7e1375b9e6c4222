//! Where tokens come from, and how they travel.

use std::pin::Pin;
use std::rc::Rc;

use js_sys::{Array, JsString, Object};
use wasm_bindgen::prelude::*;

use super::panics::caught;
use super::scope::wall_clock;
use super::value::{WebText, WebValue};
use crate::client::{SocketOptions, TokenPlace, is_subprotocol_byte};
use crate::proto::wire;

/// What a client connects as. Tokens stay in JavaScript.
pub(crate) enum TokenSource {
    /// Nobody in particular.
    None,
    /// The same token for every attempt.
    Fixed(JsString),
    /// A function that is told whether the server refused the previous token.
    Function(Rc<dyn Fn(bool) -> Asked>),
}

/// A string, `undefined`, or why there is neither.
pub(super) type TokenAnswer = Result<JsValue, JsValue>;

/// What the application's function answers.
pub(crate) enum Asked {
    Now(JsValue),
    Later(Pin<Box<dyn Future<Output = TokenAnswer>>>),
}

impl TokenSource {
    /// Asks for a token. May run code of the application. Fails with its panic.
    pub(super) fn ask(&self, token_refused: bool) -> Result<Asked, JsValue> {
        match self {
            Self::None => Ok(Asked::Now(JsValue::UNDEFINED)),
            Self::Fixed(token) => Ok(Asked::Now(token.into())),
            Self::Function(function) => {
                let function = function.clone();
                caught(move || function(token_refused))
            }
        }
    }
}

#[wasm_bindgen]
extern "C" {
    // The one of js-sys takes `&str`, which copies the token into this module's memory.
    #[wasm_bindgen(catch, js_name = encodeURIComponent)]
    fn encode_uri_component(text: &JsString) -> Result<JsString, JsValue>;
}

/// What a socket is made of, and what it says first.
pub(super) struct Opening {
    pub(super) url: JsString,
    pub(super) protocols: Array,
    pub(super) first: Option<JsString>,
}

impl Opening {
    /// How a token travels, if it is a string that is not empty. Fails with an error that does not hold the token.
    pub(super) fn new(endpoint: &JsString, token: &JsValue, options: &SocketOptions) -> Result<Self, JsValue> {
        let protocols: Array = options.protocols.iter().map(|name| JsValue::from(name.as_str())).collect();
        let mut opening = Self { url: endpoint.clone(), protocols, first: None };
        let Some(token) = token.dyn_ref::<JsString>().filter(|token| token.length() > 0) else { return Ok(opening) };
        let param = JsString::from(options.token_param.as_str());
        match options.token_place {
            TokenPlace::Query => {
                let separator = if endpoint.includes("?", 0) { "&" } else { "?" };
                let (param, token) = (encode_uri_component(&param)?, encode_uri_component(token)?);
                opening.url = endpoint.concat(&separator.into()).concat(&param).concat(&"=".into()).concat(&token);
            }
            TokenPlace::FirstMessage => {
                // Made of entries, an object can have a member of any name.
                let data = Object::from_entries(&Array::of1(&Array::of2(&param, token)))?;
                let data = WebValue::new(data.into()).unwrap_or_else(wire::Value::empty);
                let event = WebText::from(options.auth_event.as_str());
                let WebText(text) = wire::message(&event, data, wall_clock() as u64);
                opening.first = Some(text);
            }
            TokenPlace::Subprotocol if token.iter().all(|unit| u8::try_from(unit).is_ok_and(is_subprotocol_byte)) => {
                opening.protocols.push(token);
            }
            TokenPlace::Subprotocol => return Err(js_sys::Error::new(UNFIT).into()),
        }
        Ok(opening)
    }
}

const UNFIT: &str =
    "the token has characters that a subprotocol cannot have: let it travel elsewhere, or use base64url";
