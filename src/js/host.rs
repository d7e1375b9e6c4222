//! The functions of `host.js`. Nothing but numbers passes.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/js/host.js")]
extern "C" {
    pub(super) fn number(index: u32) -> f64;
    pub(super) fn overflow() -> i32;
    #[wasm_bindgen(js_name = isReliable)]
    pub(super) fn is_reliable() -> bool;
    pub(super) fn refuse(index: u32, bytes: u32, max: u32);
    #[allow(clippy::too_many_arguments, reason = "one argument for each field of the object")]
    #[wasm_bindgen(js_name = setSnapshot)]
    pub(super) fn set_snapshot(
        phase: u32,
        attempt: u32,
        retry_in_ms: f64,
        close_code: u32,
        close_cause: i32,
        was_clean: bool,
        queued: u32,
        queued_bytes: f64,
        last_rtt_ms: f64,
        delivery: u32,
        has_room: bool,
        protocol_errors: u32,
    );
    pub(super) fn notice(news: u32, a: f64, b: f64, c: f64, d: f64);
}
