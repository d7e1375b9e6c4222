//! The functions of `host.js`. Nothing but numbers passes between the two, as signed or floating ones, which need no conversion by the glue: sockets, timers, tokens, frames and names stay in JavaScript, which
//! knows the client that it calls, or is called by, as the current one.
//!
//! js-sys and web-sys have types for them, but linking those adds three kilobytes that no tool can strip, and so does every
//! JavaScript value that Rust holds.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = isOffline)]
    pub(super) fn is_offline() -> bool;
    pub(super) fn seed() -> f64;
    #[wasm_bindgen(js_name = watchPage)]
    pub(super) fn watch_page(watch: i32);
    /// A negative delay switches the alarm off.
    #[wasm_bindgen(js_name = setAlarm)]
    pub(super) fn set_alarm(delay_ms: f64);
    #[wasm_bindgen(js_name = askForToken)]
    pub(super) fn ask_for_token(refused: i32, attempt: i32);

    #[wasm_bindgen(js_name = openSocket)]
    pub(super) fn open_socket() -> bool;
    #[wasm_bindgen(js_name = closeSocket)]
    pub(super) fn close_socket();
    #[wasm_bindgen(js_name = dropSocket)]
    pub(super) fn drop_socket();
    /// How many bytes wait in the browser; -1 if the socket takes nothing.
    pub(super) fn transmit(frame: i32, seq: f64, prev: f64, is_last: i32) -> f64;
    pub(super) fn rejoin(session: i32) -> f64;
    pub(super) fn release(frame: i32, is_done: i32);
    #[wasm_bindgen(js_name = bufferedAmount)]
    pub(super) fn buffered_amount() -> f64;
    pub(super) fn ping();
    #[wasm_bindgen(js_name = notePosition)]
    pub(super) fn note_position(stream: i32, offset: f64);
    /// 0 is the client's own sender.
    pub(super) fn hello(sender: i32, resumes: i32);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn performance_now() -> f64;
}
