//! The JavaScript face: `#[wasm_bindgen]` exports that the npm package wraps. No logic of its own.
//!
//! Every method takes `&self` and returns at once, so that a handler can call back into the client that calls it.

mod face;
mod host;
mod options;

use alloc::boxed::Box;
use alloc::string::String;

use wasm_bindgen::prelude::*;

use crate::browser::Driver;
use crate::browser::frame::{self, EncodeError};
use crate::browser::host::{add_handler, error, remove_handler};
use crate::proto::{ConfigError, EndpointError, Refusal, Sent};
use face::JsFace;

/// One client, as the npm package sees it.
#[wasm_bindgen]
pub struct WasmClient {
    driver: Driver,
    face: JsFace,
}

#[wasm_bindgen]
impl WasmClient {
    /// Reads the options. Throws an error that names the option and what it accepts.
    ///
    /// `changed` is called whenever the snapshot differs from what it was, and does not throw.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, changed: JsValue) -> Result<WasmClient, JsValue> {
        host::check_types(options)?;
        Self::create(options, changed).map_err(|error| host::config_error(error.field, error.expected))
    }

    /// Connects. Throws when the URL cannot be connected to.
    pub fn connect(&self) -> Result<(), JsValue> {
        self.explain(self.driver.connect())
    }

    /// Drops whatever connection there is and connects anew. Throws when the URL cannot be connected to.
    pub fn reconnect(&self) -> Result<(), JsValue> {
        self.explain(self.driver.reconnect())
    }

    /// Closes with code 1000 and stays closed.
    pub fn disconnect(&self) {
        self.driver.disconnect();
    }

    /// `true` if the message was sent, `false` if it is queued, or the error that says why it was refused.
    pub fn send(&self, event: &JsValue, data: &JsValue) -> JsValue {
        let event: String = event.as_string().unwrap_or_default();
        let none = JsValue::UNDEFINED;
        let message = match frame::encode(&event, data) {
            Ok(message) => message,
            Err(EncodeError::NoType) => {
                return error("invalid_event", "the name of an event must be a string that is not empty", &none);
            }
            Err(EncodeError::NotAnObject) => {
                return error("invalid_data", "the data of an event must be a JSON object", &none);
            }
            Err(EncodeError::Unserialisable(cause)) => {
                let message =
                    "the data cannot be written as JSON: a cycle, a BigInt, or a throwing `toJSON` (see `cause`)";
                return error("unserialisable", message, &cause);
            }
        };
        let refusal = match self.driver.send(message) {
            Ok(sent) => return (sent == Sent::Now).into(),
            Err(refused) => refused.refusal,
        };
        if let Refusal::TooLarge { bytes, max } = refusal {
            return host::too_large(bytes, max);
        }
        error(refusal.code(), refusal.text(), &none)
    }

    /// Adds a handler; the number removes it.
    pub fn on(&self, event: &JsValue, handler: &JsValue) -> u32 {
        add_handler(self.driver.handlers(), event, handler)
    }

    /// Removes the handlers with this number or of this function; all of the event when neither is given.
    pub fn off(&self, event: &JsValue, number: Option<u32>, handler: &JsValue) {
        remove_handler(self.driver.handlers(), event, number, handler);
    }

    /// What there is to see of the connection; the same object until something changes.
    pub fn snapshot(&self) -> JsValue {
        self.face.snapshot(&self.driver)
    }
}

impl WasmClient {
    fn create(options: &JsValue, changed: JsValue) -> Result<WasmClient, ConfigError> {
        let (config, target) = options::read(options)?;
        let face = JsFace::new(changed.unchecked_into());
        let driver = Driver::new(config, target, Box::new(face.clone()))?;
        Ok(Self { driver, face })
    }

    fn explain(&self, result: Result<(), EndpointError>) -> Result<(), JsValue> {
        result.map_err(|refusal| {
            let error = error(refusal.code(), refusal.text(), &JsValue::UNDEFINED);
            self.face.refused(&error);
            error
        })
    }
}
