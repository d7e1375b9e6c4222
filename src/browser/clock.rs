//! The two clocks of a browser.

use wasm_bindgen::prelude::*;

use crate::proto::Timestamp;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// The monotonic clock that every decision is made by.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(performance_now() as u64)
}

/// The wall clock, in milliseconds since the epoch: for what people and servers read.
pub(crate) fn epoch_ms() -> f64 {
    date_now()
}
