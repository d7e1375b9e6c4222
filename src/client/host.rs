//! The functions of `host.js`.

use wasm_bindgen::prelude::*;

use crate::browser::host::{Handlers, Text};

#[wasm_bindgen(module = "/src/client/host.js")]
extern "C" {
    pub(super) fn notify(handlers: &Handlers, name: &str);
    #[wasm_bindgen(js_name = reportError)]
    pub(super) fn report_error(error: &JsValue);
    /// The name of a stream by its number; empty for one too many.
    #[wasm_bindgen(js_name = streamName)]
    pub(super) fn stream_name(handlers: &Handlers, stream: u32) -> String;
    pub(super) fn parse(text: &Text) -> JsValue;
    pub(super) fn get(value: &JsValue, name: &str) -> JsValue;
    /// A string, or an empty one where there is none.
    pub(super) fn text(value: &JsValue, name: &str) -> String;
    #[wasm_bindgen(js_name = isDeeperThan)]
    pub(super) fn is_deeper_than(levels: u32, value: &JsValue) -> bool;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    pub(super) fn date_now() -> f64;
}
