//! The functions of `host.js`. No text is copied in or out.

use wasm_bindgen::prelude::*;

use crate::browser::host::{Handlers, Text};

#[wasm_bindgen(module = "/src/js/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = checkOptions, catch)]
    pub(super) fn check_options(options: &JsValue) -> Result<(), JsValue>;
    pub(super) fn number(options: &JsValue, index: u32) -> f64;
    pub(super) fn overflow(options: &JsValue) -> i32;
    #[wasm_bindgen(js_name = orderError)]
    pub(super) fn order_error() -> JsValue;
    pub(super) fn refusal(index: u32, bytes: u32, max: u32) -> JsValue;
    #[allow(clippy::too_many_arguments, reason = "one argument for each field of the object")]
    pub(super) fn snapshot(
        phase: u32,
        attempt: u32,
        retry_in_ms: f64,
        close: &JsValue,
        error: &JsValue,
        queued: u32,
        queued_bytes: f64,
        last_rtt_ms: f64,
    ) -> JsValue;
    #[wasm_bindgen(js_name = closeInfo)]
    pub(super) fn close_info(code: u16, reason: &JsValue, was_clean: bool) -> JsValue;
    #[wasm_bindgen(js_name = tellOpen)]
    pub(super) fn tell_open(handlers: &Handlers);
    #[wasm_bindgen(js_name = tellClosed)]
    pub(super) fn tell_closed(handlers: &Handlers, info: &JsValue);
    #[wasm_bindgen(js_name = tellState)]
    pub(super) fn tell_state(handlers: &Handlers, snapshot: &JsValue);
    #[wasm_bindgen(js_name = tellError)]
    pub(super) fn tell_error(handlers: &Handlers, error: &JsValue);
    #[wasm_bindgen(js_name = tellReconnecting)]
    pub(super) fn tell_reconnecting(handlers: &Handlers, attempt: u32, delay_ms: f64);
    #[wasm_bindgen(js_name = tellGaveUp)]
    pub(super) fn tell_gave_up(handlers: &Handlers, attempts: u32);
    #[wasm_bindgen(js_name = tellDropped)]
    pub(super) fn tell_dropped(handlers: &Handlers, frame: &Text, reason: u32);

    /// The package's function that is called when the snapshot has changed.
    pub(super) type Changed;
    #[wasm_bindgen(method)]
    pub(super) fn call(this: &Changed);

    /// The options object, whose types are known to be right.
    pub(super) type Options;
    #[wasm_bindgen(method, getter)]
    pub(super) fn url(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn path(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn token(this: &Options) -> JsValue;
}
