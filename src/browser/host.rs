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

    /// The functions through which the browser reaches one client.
    pub(super) type Ears;

    #[wasm_bindgen(js_name = isOffline)]
    pub(super) fn is_offline() -> bool;
    pub(super) fn seed() -> u64;
    #[wasm_bindgen(js_name = newEars)]
    pub(super) fn new_ears(handlers: &Handlers, signal: &JsValue, answer: &JsValue) -> Ears;
    #[wasm_bindgen(js_name = watchPage)]
    pub(super) fn watch_page(ears: &Ears) -> Stop;
    #[wasm_bindgen(js_name = setAlarm)]
    pub(super) fn set_alarm(ears: &Ears, delay_ms: i32) -> JsValue;
    #[wasm_bindgen(js_name = askForToken)]
    pub(super) fn ask_for_token(handlers: &Handlers, refused: bool, attempt: u32, ears: &Ears);

    #[wasm_bindgen(js_name = openSocket, catch)]
    pub(super) fn open_socket(handlers: &Handlers, token: &JsValue, ears: &Ears) -> Result<WebSocket, JsValue>;
    #[wasm_bindgen(js_name = stopListening)]
    pub(super) fn stop_listening(socket: &WebSocket);
    pub(super) fn close(socket: &WebSocket);
    #[wasm_bindgen(js_name = sendText, catch)]
    pub(super) fn send_text(socket: &WebSocket, text: &Text, seq: f64, prev: f64) -> Result<f64, JsValue>;
    #[wasm_bindgen(js_name = bufferedAmount)]
    pub(super) fn buffered_amount(socket: &WebSocket) -> f64;

    pub(super) fn ping() -> Text;
    #[wasm_bindgen(js_name = notePosition)]
    pub(super) fn note_position(handlers: &Handlers, stream: u32, offset: f64);
    pub(super) fn hello(handlers: &Handlers, sender: &JsValue, resumes: bool) -> Text;
    #[wasm_bindgen(js_name = isError)]
    pub(super) fn is_error(value: &JsValue) -> bool;
}

#[wasm_bindgen]
extern "C" {
    pub(super) type CloseEvent;
    #[wasm_bindgen(method, getter)]
    pub(super) fn code(this: &CloseEvent) -> u16;
    #[wasm_bindgen(method, getter)]
    pub(super) fn reason(this: &CloseEvent) -> Text;
    #[wasm_bindgen(method, getter, js_name = wasClean)]
    pub(super) fn was_clean(this: &CloseEvent) -> bool;

    /// A function without arguments.
    pub(super) type Stop;
    #[wasm_bindgen(method, js_name = call)]
    pub(super) fn call(this: &Stop);

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
    #[wasm_bindgen(js_name = coalesceKey)]
    pub(super) fn coalesce_key(event: &JsValue, data: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = newHandlers)]
    pub(crate) fn new_handlers(is_reliable: bool, token: &JsValue) -> Handlers;
    #[wasm_bindgen(js_name = setEndpoint)]
    pub(crate) fn set_endpoint(handlers: &Handlers, endpoint: &Text);
    #[wasm_bindgen(js_name = addHandler)]
    pub(crate) fn add_handler(handlers: &Handlers, name: &JsValue, handler: &JsValue) -> u32;
    #[wasm_bindgen(js_name = removeHandler)]
    pub(crate) fn remove_handler(handlers: &Handlers, name: &JsValue, id: Option<u32>, handler: &JsValue);
    #[wasm_bindgen(js_name = countHandlers)]
    pub(crate) fn count_handlers(handlers: &Handlers) -> u32;
}
