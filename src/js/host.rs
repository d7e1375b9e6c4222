//! The functions of `host.js`. No text is copied in or out.

use wasm_bindgen::prelude::*;

use crate::browser::host::{Handlers, Text};

#[wasm_bindgen(module = "/src/js/host.js")]
extern "C" {
    pub(super) fn number(options: &JsValue, index: u32) -> f64;
    pub(super) fn overflow(options: &JsValue) -> i32;
    #[wasm_bindgen(js_name = isReliable)]
    pub(super) fn is_reliable(options: &JsValue) -> bool;
    pub(super) fn refusal(index: u32, bytes: u32, max: u32) -> JsValue;
    #[allow(clippy::too_many_arguments, reason = "one argument for each field of the object")]
    #[wasm_bindgen(js_name = setSnapshot)]
    pub(super) fn set_snapshot(
        store: &Handlers,
        phase: u32,
        attempt: u32,
        retry_in_ms: f64,
        close: &JsValue,
        queued: u32,
        queued_bytes: f64,
        last_rtt_ms: f64,
        delivery: u32,
        has_room: bool,
        protocol_errors: u32,
    );
    #[wasm_bindgen(js_name = closeInfo)]
    pub(super) fn close_info(code: u16, reason: &JsValue, was_clean: bool) -> JsValue;
    #[wasm_bindgen(js_name = tellChanged)]
    pub(super) fn tell_changed(store: &Handlers, phase: bool);
    pub(super) fn tell(store: &Handlers, news: u32, a: f64, b: f64, c: f64);
    #[wasm_bindgen(js_name = tellAcknowledged)]
    pub(super) fn tell_acknowledged(store: &Handlers, sender: &JsValue, seq: f64);
    #[wasm_bindgen(js_name = tellClosed)]
    pub(super) fn tell_closed(handlers: &Handlers, info: &JsValue);
    #[wasm_bindgen(js_name = tellError)]
    pub(super) fn tell_error(store: &Handlers, error: &JsValue);
    #[wasm_bindgen(js_name = tellDropped)]
    pub(super) fn tell_dropped(store: &Handlers, frame: &Text, reason: u32, sender: &JsValue, seq: f64);
}
