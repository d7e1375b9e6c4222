//! The JavaScript face: `#[wasm_bindgen]` exports that the npm package wraps. No logic of its own.
//!
//! Every method takes `&self` and returns at once, so that a handler can call back into the client that calls it.

mod face;
mod host;
mod options;

use alloc::boxed::Box;

use wasm_bindgen::prelude::*;

use crate::browser::Driver;
use crate::browser::frame;
use crate::browser::host::{add_handler, remove_handler};
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
    /// Reads the options. Throws an error that names the option and what it accepts.
    ///
    /// `changed` is called whenever the snapshot differs from what it was, and does not throw.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, changed: JsValue) -> Result<WasmClient, JsValue> {
        host::check_options(options)?;
        let config = options::config(options)?;
        let face = JsFace::new(changed.unchecked_into());
        let driver = Driver::new(config, options::target(options), Box::new(face.clone()));
        Ok(Self { driver, face })
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
        let message = match frame::encode(event, data) {
            Ok(message) => message,
            Err(error) => return error,
        };
        let (index, bytes, max) = match self.driver.send(message) {
            Ok(sent) => return (sent == Sent::Now).into(),
            Err(refused) => match refused.refusal {
                Refusal::TooLarge { bytes, max } => (0, bytes, max),
                Refusal::QueueFull => (1, 0, 0),
                Refusal::NotOpen => (2, 0, 0),
                Refusal::TooManySessions => (3, 0, 0),
            },
        };
        host::refusal(index, bytes, max)
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
    fn explain(&self, result: Result<(), JsValue>) -> Result<(), JsValue> {
        result.inspect_err(|error| self.face.refused(error))
    }
}
