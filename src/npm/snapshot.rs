//! The snapshot as an object of JavaScript.

use wasm_bindgen::prelude::*;

use super::codes::{CloseCause, DeliveryName, PhaseName};
use super::host::{date_now, now, split};
use super::value::JsonText;
use crate::proto::Snapshot;

#[wasm_bindgen(raw_module = "../src/host/snapshot.ts")]
extern "C" {
    /// `RawSnapshot` of that module.
    pub type JsSnapshot;

    #[wasm_bindgen(js_namespace = snapshots, js_name = make)]
    fn new() -> JsSnapshot;
    #[wasm_bindgen(method, setter)]
    fn set_phase(this: &JsSnapshot, phase: PhaseName);
    #[wasm_bindgen(method, setter)]
    fn set_attempt(this: &JsSnapshot, attempt: u32);
    #[wasm_bindgen(method, setter, js_name = retryAt)]
    fn set_retry_at(this: &JsSnapshot, millis: f64);
    #[wasm_bindgen(js_namespace = snapshots, js_name = setClose)]
    fn set_close(
        snapshot: &JsSnapshot,
        code: u16,
        cause: Option<CloseCause>,
        reason: Option<JsonText>,
        was_clean: bool,
    );
    #[wasm_bindgen(method, setter)]
    fn set_queued(this: &JsSnapshot, messages: u32);
    #[wasm_bindgen(method, setter, js_name = queuedBytes)]
    fn set_queued_bytes(this: &JsSnapshot, bytes: f64);
    #[wasm_bindgen(method, setter, js_name = lastRttMs)]
    fn set_last_rtt_ms(this: &JsSnapshot, millis: f64);
    #[wasm_bindgen(method, setter)]
    fn set_delivery(this: &JsSnapshot, delivery: DeliveryName);
    #[wasm_bindgen(method, setter, js_name = hasRoom)]
    fn set_has_room(this: &JsSnapshot, has_room: bool);
    #[wasm_bindgen(method, setter, js_name = protocolErrors)]
    fn set_protocol_errors(this: &JsSnapshot, count: u32);
}

/// What is not set is `null`.
pub(super) fn show(seen: &Snapshot<'_, JsonText>) -> JsSnapshot {
    let snapshot = new();
    snapshot.set_phase(seen.phase.into());
    snapshot.set_attempt(seen.attempt);
    if let Some(at) = seen.retry_at {
        snapshot.set_retry_at(date_now() + at.since(now()) as f64);
    }
    if let Some(close) = seen.close {
        let (cause, reason) = split(close.reason.clone());
        set_close(&snapshot, close.code, cause, reason, close.was_clean);
    }
    snapshot.set_queued(seen.queued as u32);
    snapshot.set_queued_bytes(seen.queued_bytes as f64);
    if let Some(millis) = seen.last_rtt_ms {
        snapshot.set_last_rtt_ms(millis as f64);
    }
    if let Some(delivery) = DeliveryName::of(seen.delivery) {
        snapshot.set_delivery(delivery);
    }
    snapshot.set_has_room(seen.has_room);
    snapshot.set_protocol_errors(seen.protocol_errors);
    snapshot
}
