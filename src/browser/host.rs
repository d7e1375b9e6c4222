//! The functions of `host.js`, and the few JavaScript types that they are about. No text is copied in or out.
//!
//! js-sys and web-sys have those types too, but linking them adds three kilobytes that no tool can strip.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// A string that stays in JavaScript.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) type Text;
    #[derive(Clone)]
    pub(crate) type WebSocket;
    #[derive(Clone)]
    pub(crate) type Handlers;

    #[wasm_bindgen(js_name = isOffline)]
    pub(super) fn is_offline() -> bool;
    pub(super) fn seed() -> u64;
    #[wasm_bindgen(js_name = watchPage)]
    pub(super) fn watch_page(tell: &JsValue) -> Stop;
    #[wasm_bindgen(js_name = askForToken)]
    pub(super) fn ask_for_token(source: &JsValue, refused: bool, attempt: u32, settle: &JsValue);

    #[wasm_bindgen(js_name = openSocket, catch)]
    pub(super) fn open_socket(
        url: &Text,
        token: &JsValue,
        opened: &JsValue,
        received: &JsValue,
        closed: &JsValue,
    ) -> Result<WebSocket, JsValue>;
    #[wasm_bindgen(js_name = stopListening)]
    pub(super) fn stop_listening(socket: &WebSocket);
    pub(super) fn close(socket: &WebSocket);
    #[wasm_bindgen(js_name = sendText, catch)]
    pub(super) fn send_text(socket: &WebSocket, text: &Text) -> Result<bool, JsValue>;

    pub(super) fn ping() -> Text;
    #[wasm_bindgen(js_name = frameListener)]
    pub(super) fn frame_listener(handlers: &Handlers, heard: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = closeListener)]
    pub(super) fn close_listener(closed: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = isError)]
    pub(super) fn is_error(value: &JsValue) -> bool;

}

#[wasm_bindgen]
extern "C" {
    pub(super) type CloseEvent;
    #[wasm_bindgen(method, getter)]
    pub(super) fn reason(this: &CloseEvent) -> Text;
    #[wasm_bindgen(method, getter, js_name = wasClean)]
    pub(super) fn was_clean(this: &CloseEvent) -> bool;

    /// A function without arguments.
    pub(super) type Stop;
    #[wasm_bindgen(method, js_name = call)]
    pub(super) fn call(this: &Stop);

    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(ring: &JsValue, delay_ms: i32, number: u32, flag: bool) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn clear_timeout(timeout: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn performance_now() -> f64;
}

/// What the npm package calls in JavaScript itself.
#[cfg(feature = "rust")]
#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    pub(crate) fn endpoint(url: &JsValue, path: &JsValue) -> Result<Text, JsValue>;
    #[wasm_bindgen(catch)]
    pub(super) fn encode(event: &JsValue, data: &JsValue) -> Result<Text, JsValue>;
    #[wasm_bindgen(js_name = byteLength)]
    pub(super) fn byte_length(text: &Text) -> u32;
    pub(super) fn purpose(event: &JsValue, data: &JsValue) -> u32;
    pub(super) fn session(event: &JsValue, data: &JsValue) -> Text;
    #[wasm_bindgen(js_name = newHandlers)]
    pub(crate) fn new_handlers() -> Handlers;
    #[wasm_bindgen(js_name = addHandler)]
    pub(crate) fn add_handler(handlers: &Handlers, name: &JsValue, handler: &JsValue) -> u32;
    #[wasm_bindgen(js_name = removeHandler)]
    pub(crate) fn remove_handler(handlers: &Handlers, name: &JsValue, id: Option<u32>, handler: &JsValue);
    #[wasm_bindgen(js_name = countHandlers)]
    pub(crate) fn count_handlers(handlers: &Handlers) -> u32;
}
