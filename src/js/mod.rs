//! The JavaScript face: `#[wasm_bindgen]` exports that the npm package wraps. No logic of its own.
//!
//! Every method takes `&self` and returns at once, so that a handler can call back into the client that calls it.

mod convert;
mod face;
mod options;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::browser::Driver;
use crate::browser::frame::{self, EncodeError};
use crate::proto::subscriptions::HandlerId;
use crate::proto::{Refusal, Sent};
use face::JsFace;

/// One client, as the npm package sees it.
#[wasm_bindgen]
pub struct WasmClient {
    driver: Driver,
    face: JsFace,
}

#[wasm_bindgen]
impl WasmClient {
    /// Reads the options. Throws a `ConfigError` that names the option and what it accepts.
    ///
    /// `changed` is called whenever the snapshot differs from what it was.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, changed: Function) -> Result<WasmClient, JsValue> {
        let (config, target) = options::read(options).map_err(|error| convert::config_error(&error))?;
        let face = JsFace::new(changed);
        let driver =
            Driver::new(config, target, Box::new(face.clone())).map_err(|error| convert::config_error(&error))?;
        Ok(Self { driver, face })
    }

    /// Connects. Throws when the URL cannot be connected to.
    pub fn connect(&self) -> Result<(), JsValue> {
        self.driver.connect().map_err(|error| self.face.refuse(&self.driver, error.code(), &error.to_string()))
    }

    /// Drops whatever connection there is and connects anew. Throws when the URL cannot be connected to.
    pub fn reconnect(&self) -> Result<(), JsValue> {
        self.driver.reconnect().map_err(|error| self.face.refuse(&self.driver, error.code(), &error.to_string()))
    }

    /// Closes with code 1000 and stays closed.
    pub fn disconnect(&self) {
        self.driver.disconnect();
    }

    /// `"sent"`, `"queued"`, or the error that says why the message was refused.
    pub fn send(&self, event: &JsValue, data: &JsValue) -> JsValue {
        let message = match frame::encode(&event.as_string().unwrap_or_default(), data) {
            Ok(message) => message,
            Err(error) => return refused(&error),
        };
        match self.driver.send(message) {
            Ok(Sent::Now) => "sent".into(),
            Ok(Sent::Queued) => "queued".into(),
            Err(refused) => convert::error(refused.refusal.code(), &refused.refusal.to_string()).into(),
        }
    }

    /// Adds a handler; the number removes it.
    pub fn on(&self, event: &JsValue, handler: Function) -> u32 {
        self.driver.handlers().add(event, handler).number()
    }

    /// Removes the handler that [`WasmClient::on`] gave this number.
    pub fn remove(&self, event: &JsValue, number: u32) {
        self.driver.handlers().remove(event, |id, _| id == HandlerId::from_number(number));
    }

    /// Removes one handler of an event, or all of them when `handler` is undefined.
    pub fn off(&self, event: &JsValue, handler: &JsValue) {
        self.driver.handlers().remove(event, |_, known| handler.is_undefined() || AsRef::<JsValue>::as_ref(known) == handler);
    }

    /// What there is to see of the connection; the same object until something changes.
    pub fn snapshot(&self) -> JsValue {
        self.face.snapshot(&self.driver)
    }
}

fn refused(error: &EncodeError) -> JsValue {
    match error {
        EncodeError::NoType => convert::error("invalid_event", "the name of an event must be a string that is not empty"),
        EncodeError::NotAnObject => convert::error("invalid_data", "the data of an event must be a JSON object"),
        EncodeError::Unserialisable(cause) => {
            let error = convert::error("unserialisable", "the data cannot be written as JSON: it holds a cycle or a BigInt");
            error.set_cause(cause);
            error
        }
    }
    .into()
}

impl Refusal {
    const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::QueueFull => "queue_full",
            Self::NotOpen => "not_open",
            Self::TooManySessions => "too_many_sessions",
        }
    }
}
