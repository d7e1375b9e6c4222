//! The functions of `host.js`.

use wasm_bindgen::prelude::*;

use crate::browser::host::{Handlers, Text};

#[wasm_bindgen(module = "/src/js/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = checkTypes, catch)]
    pub(super) fn check_types(options: &JsValue) -> Result<(), JsValue>;
    pub(super) fn option(options: &JsValue, path: &str) -> JsValue;
    #[wasm_bindgen(js_name = configError)]
    pub(super) fn config_error(field: &str, expected: &str) -> JsValue;
    pub(super) fn overflow(options: &JsValue) -> i32;
    pub(super) fn refusal(code: &str, cause: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = tooLarge)]
    pub(super) fn too_large(bytes: u32, max: u32) -> JsValue;
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
    pub(super) fn close_info(code: u16, reason: &str, was_clean: bool) -> JsValue;
    #[wasm_bindgen(js_name = tellReconnecting)]
    pub(super) fn tell_reconnecting(handlers: &Handlers, attempt: u32, delay_ms: f64);
    #[wasm_bindgen(js_name = tellGaveUp)]
    pub(super) fn tell_gave_up(handlers: &Handlers, attempts: u32);
    #[wasm_bindgen(js_name = tellDropped)]
    pub(super) fn tell_dropped(handlers: &Handlers, frame: &Text, reason: &str);

    /// The package's function that is called when the snapshot has changed.
    pub(super) type Changed;
    #[wasm_bindgen(method)]
    pub(super) fn call(this: &Changed);
}
