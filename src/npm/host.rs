//! The object of one client in JavaScript (`pkg/src/host/host.ts`): its sockets, its alarm, and whoever listens. Its types are in
//! `pkg/src/host/contract.ts`.

use alloc::boxed::Box;

use wasm_bindgen::prelude::*;

use super::client::Core;
use super::codes::{CloseCause, DropName, FailureName, OverflowName, ReceiptName, ViolationName};
use super::dialect;
use super::snapshot::JsSnapshot;
use super::value::{JsonText, JsonValue, unless_nan};
use crate::driver::{Driver, Host};
use crate::proto::wire::ReceiptStatus;
use crate::proto::{Close, DropReason, Message, ProtocolViolation, Reason, RequestFailure, SocketId, Timestamp};

#[wasm_bindgen]
extern "C" {
    pub type JsHost;

    /// A numeric option by its place in the list of all; NaN stands for `undefined`, the default.
    #[wasm_bindgen(method, js_name = numericOption)]
    pub(super) fn numeric_option(this: &JsHost, index: u32) -> f64;
    #[wasm_bindgen(method, getter)]
    pub(super) fn overflow(this: &JsHost) -> OverflowName;
    #[wasm_bindgen(method, getter, js_name = isReliable)]
    pub(super) fn is_reliable(this: &JsHost) -> bool;
    #[wasm_bindgen(method, getter, js_name = clientId)]
    pub(super) fn client_id(this: &JsHost) -> JsonText;

    #[wasm_bindgen(method, js_name = isOffline)]
    fn is_offline(this: &JsHost) -> bool;
    #[wasm_bindgen(method, js_name = openSocket)]
    fn open_socket(this: &JsHost, token_refused: bool);
    /// NaN stands for `undefined`: the socket takes nothing.
    #[wasm_bindgen(method)]
    fn send(this: &JsHost, text: &JsonText) -> f64;
    #[wasm_bindgen(method)]
    fn ping(this: &JsHost);
    #[wasm_bindgen(method)]
    fn buffered(this: &JsHost) -> f64;
    #[wasm_bindgen(method, js_name = closeSocket)]
    fn close_socket(this: &JsHost);
    #[wasm_bindgen(method, js_name = abandonSocket)]
    fn abandon_socket(this: &JsHost);
    #[wasm_bindgen(method, js_name = setAlarm)]
    fn set_alarm(this: &JsHost, delay_ms: Option<f64>);
    #[wasm_bindgen(method, js_name = watchPage)]
    fn watch_page(this: &JsHost, is_watched: bool);

    #[wasm_bindgen(method)]
    fn opened(this: &JsHost);
    #[wasm_bindgen(method)]
    fn closed(this: &JsHost, code: u16, cause: Option<CloseCause>, reason: Option<JsonText>, was_clean: bool);
    #[wasm_bindgen(method)]
    fn reconnecting(this: &JsHost, attempt: u32, delay_ms: f64);
    #[wasm_bindgen(method, js_name = gaveUp)]
    fn gave_up(this: &JsHost, attempts: u32);
    #[wasm_bindgen(method)]
    fn transmitted(this: &JsHost, seq: f64);
    #[wasm_bindgen(method)]
    fn acknowledged(this: &JsHost, origin: Option<JsonText>, seq: f64);
    #[wasm_bindgen(method)]
    fn refused(this: &JsHost, seq: f64, data: &JsonValue);
    #[wasm_bindgen(method)]
    fn replied(this: &JsHost, seq: f64, data: &JsonValue);
    #[wasm_bindgen(method)]
    fn receipt(this: &JsHost, seq: f64, status: ReceiptName);
    #[wasm_bindgen(method, js_name = requestFailed)]
    fn request_failed(this: &JsHost, seq: f64, failure: FailureName);
    #[wasm_bindgen(method)]
    fn gap(this: &JsHost, stream: &JsonText, from: f64, to: Option<f64>);
    #[wasm_bindgen(method)]
    fn violation(this: &JsHost, violation: ViolationName);
    #[wasm_bindgen(method)]
    fn dropped(this: &JsHost, frame: &JsonText, reason: DropName, origin: Option<JsonText>, seq: f64);
    #[wasm_bindgen(method)]
    fn changed(this: &JsHost, snapshot: &JsSnapshot, phase: bool);
    /// Tells the application what the methods above have recorded.
    #[wasm_bindgen(method)]
    fn deliver(this: &JsHost);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    pub(super) fn date_now() -> f64;
}

/// The monotonic clock that every decision is made by.
pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(performance_now() as u64)
}

/// One call into a client: the client, and the host that calls.
pub(super) struct Call<'a> {
    pub(super) core: &'a Core,
    pub(super) host: &'a JsHost,
    /// Whether the application gets the frame of this call.
    pub(super) delivers_frame: bool,
    has_events: bool,
}

impl<'a> Call<'a> {
    pub(super) const fn new(core: &'a Core, host: &'a JsHost) -> Self {
        Self { core, host, delivers_frame: false, has_events: false }
    }

    /// The object that events are recorded on until they are delivered.
    pub(super) fn record(&mut self) -> &JsHost {
        self.has_events = true;
        self.host
    }
}

impl Host for Call<'_> {
    type Value = JsonValue;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut Driver<JsonValue>) -> R) -> R {
        look(&mut self.core.driver.borrow_mut())
    }

    fn now(&mut self) -> Timestamp {
        now()
    }

    fn wall_clock_ms(&mut self) -> u64 {
        date_now() as u64
    }

    fn is_offline(&mut self) -> bool {
        self.host.is_offline()
    }

    fn open(&mut self, socket: SocketId, token_refused: bool) {
        dialect::begin(self, socket);
        self.host.open_socket(token_refused);
    }

    fn send(&mut self, _: SocketId, text: &JsonText) -> Option<u64> {
        unless_nan(self.host.send(text))
    }

    fn ping(&mut self, _: SocketId) {
        self.host.ping();
    }

    #[cfg(feature = "socketio")]
    fn transmit(
        &mut self,
        socket: SocketId,
        message: &Message<JsonText>,
        _: Option<crate::proto::Sequence>,
    ) -> Option<u64> {
        dialect::transmit(self, socket, message)
    }

    // JavaScript says so itself.
    fn is_pong(&mut self, _: &JsonValue) -> bool {
        false
    }

    fn buffered(&mut self, _: SocketId) -> u64 {
        self.host.buffered() as u64
    }

    fn close(&mut self, socket: SocketId) {
        dialect::leave(self, socket);
        self.host.close_socket();
    }

    fn abandon(&mut self, socket: SocketId) {
        dialect::abandon(self, socket);
        self.host.abandon_socket();
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        self.host.set_alarm(delay_ms.map(|delay| delay as f64));
    }

    fn set_active(&mut self, is_active: bool) {
        self.host.watch_page(is_active);
    }

    // JavaScript has kept it, and delivers it when the call returns.
    fn frame(&mut self, _: JsonValue) {
        self.delivers_frame = true;
    }

    fn opened(&mut self) {
        self.record().opened();
    }

    fn closed(&mut self, close: Close<JsonText>) {
        let (cause, reason) = split(close.reason);
        self.record().closed(close.code, cause, reason, close.was_clean);
    }

    fn reconnecting(&mut self, attempt: u32, delay_ms: u64) {
        self.record().reconnecting(attempt, delay_ms as f64);
    }

    fn gave_up(&mut self, attempts: u32) {
        self.record().gave_up(attempts);
    }

    fn transmitted(&mut self, seq: u64) {
        self.record().transmitted(seq as f64);
    }

    fn acknowledged(&mut self, origin: Option<JsonText>, seq: u64) {
        self.record().acknowledged(origin, seq as f64);
    }

    fn refused(&mut self, seq: u64, data: JsonValue) {
        self.record().refused(seq as f64, &data);
    }

    fn replied(&mut self, seq: u64, data: JsonValue) {
        self.record().replied(seq as f64, &data);
    }

    fn receipt(&mut self, seq: u64, status: ReceiptStatus) {
        self.record().receipt(seq as f64, status.into());
    }

    fn request_failed(&mut self, seq: u64, failure: RequestFailure) {
        self.record().request_failed(seq as f64, failure.into());
    }

    fn gap(&mut self, stream: JsonText, from: u64, to: Option<u64>) {
        self.record().gap(&stream, from as f64, to.map(|to| to as f64));
    }

    fn violation(&mut self, violation: ProtocolViolation) {
        self.record().violation(violation.into());
    }

    fn dropped(&mut self, message: Box<Message<JsonText>>, reason: DropReason) {
        let Message { frame, origin, seq, .. } = *message;
        dialect::forget(self, seq);
        self.record().dropped(&frame, reason.into(), origin, seq as f64);
    }

    fn changed(&mut self, phase: bool) {
        let snapshot = self.core.snapshot();
        self.record().changed(&snapshot, phase);
    }

    fn deliver(&mut self) {
        if core::mem::take(&mut self.has_events) {
            self.host.deliver();
        }
    }
}

/// The client's own cause, or the peer's words.
pub(super) fn split(reason: Reason<JsonText>) -> (Option<CloseCause>, Option<JsonText>) {
    match reason {
        Reason::Client(cause) => (Some(cause.into()), None),
        Reason::Peer(words) => (None, Some(words)),
    }
}
