//! Where to connect, and as whom.

use wasm_bindgen::JsValue;

/// The options that say where to connect. They stay JavaScript values.
pub(crate) struct Target {
    /// A string, or `undefined` for the page's own origin.
    pub(crate) url: JsValue,
    /// A string.
    pub(crate) path: JsValue,
    /// A token, a function that returns one or a promise of one, or `undefined`.
    pub(crate) token: JsValue,
}
