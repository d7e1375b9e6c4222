//! The functions of `host.js`. Nothing but numbers passes.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/js/host.js")]
extern "C" {
    pub(super) fn number(index: i32) -> f64;
    pub(super) fn overflow() -> i32;
    #[wasm_bindgen(js_name = isReliable)]
    pub(super) fn is_reliable() -> bool;
    pub(super) fn refuse(index: i32, bytes: i32, max: i32);
    #[allow(clippy::too_many_arguments, reason = "one argument for each field of the object")]
    #[wasm_bindgen(js_name = setSnapshot)]
    pub(super) fn set_snapshot(
        phase: i32,
        attempt: i32,
        retry_in_ms: f64,
        close_code: i32,
        close_cause: i32,
        was_clean: i32,
        queued: i32,
        queued_bytes: f64,
        last_rtt_ms: f64,
        delivery: i32,
        has_room: i32,
        protocol_errors: i32,
    );
    pub(super) fn notice(news: i32, a: f64, b: f64, c: f64, d: f64);
}
