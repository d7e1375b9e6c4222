//! The global object of the place that this code runs in: a window, a worker, or something that has only a part of either.

use js_sys::{Date, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{Crypto, Document, EventTarget, Location, Performance};

use crate::proto::Timestamp;

#[wasm_bindgen]
extern "C" {
    /// The global object with what may be missing in it.
    #[wasm_bindgen(extends = EventTarget)]
    pub(super) type Scope;

    #[wasm_bindgen(method, getter, structural)]
    pub(super) fn document(this: &Scope) -> Option<Document>;
    /// That of a worker has the same members.
    #[wasm_bindgen(method, getter, structural)]
    pub(super) fn location(this: &Scope) -> Option<Location>;
    #[wasm_bindgen(method, getter, structural)]
    fn navigator(this: &Scope) -> Option<ConnectionStatus>;
    #[wasm_bindgen(method, getter, structural)]
    fn performance(this: &Scope) -> Performance;
    #[wasm_bindgen(method, getter, structural)]
    fn crypto(this: &Scope) -> Crypto;
    #[wasm_bindgen(method, catch, structural, js_name = reportError)]
    fn report_error(this: &Scope, error: &JsValue) -> Result<(), JsValue>;

    /// A navigator, which may know nothing of the network.
    type ConnectionStatus;
    #[wasm_bindgen(method, getter, structural, js_name = onLine)]
    fn on_line(this: &ConnectionStatus) -> Option<bool>;
}

/// The global object.
pub(super) fn scope() -> Scope {
    js_sys::global().unchecked_into()
}

/// The monotonic clock that every decision is made by.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(scope().performance().now() as u64)
}

/// Milliseconds since the Unix epoch.
pub(crate) fn wall_clock() -> f64 {
    Date::now()
}

/// Only a plain `false` says that there is no network.
pub(super) fn is_offline() -> bool {
    scope().navigator().and_then(|navigator| navigator.on_line()) == Some(false)
}

/// Reports an error that nobody can be told of, as browsers do with exceptions of callbacks (HTML, "report an exception").
pub(crate) fn report_error(error: &JsValue) {
    // Where there is no such function, there is nobody to report to.
    _ = scope().report_error(error);
}

/// 128 bits that name one client of the reliable mode, and 64 bits as the seed of its randomness.
pub(super) fn random_identity() -> (String, u64) {
    // An array of JavaScript's own: into memory that threads share, browsers write no random values.
    let array = Uint8Array::new_with_length(24);
    let filled = scope().crypto().get_random_values_with_array_buffer_view(&array);
    filled.expect_throw("`crypto.getRandomValues` fills 24 bytes wherever it exists");
    let bytes = array.to_vec();
    let [high, low, seed] = [0, 8, 16].map(|start| bytes[start..start + 8].iter().fold(0, join_byte));
    (format!("{high}-{low}"), seed)
}

/// 128 random bits that name one message.
#[cfg(feature = "json")]
pub(crate) fn random_id() -> String {
    random_identity().0
}

fn join_byte(number: u64, byte: &u8) -> u64 {
    number << 8 | u64::from(*byte)
}
