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

    #[wasm_bindgen(js_namespace = snapshots)]
    fn make(
        phase: PhaseName,
        attempt: u32,
        retry_at: Option<f64>,
        queued: u32,
        queued_bytes: f64,
        last_rtt_ms: Option<f64>,
        delivery: Option<DeliveryName>,
        has_room: bool,
        protocol_errors: u32,
    ) -> JsSnapshot;
    #[wasm_bindgen(js_namespace = snapshots, js_name = setClose)]
    fn set_close(
        snapshot: &JsSnapshot,
        code: u16,
        cause: Option<CloseCause>,
        reason: Option<JsonText>,
        was_clean: bool,
    );
}

pub(super) fn show(seen: &Snapshot<'_, JsonText>) -> JsSnapshot {
    let snapshot = make(
        seen.phase.into(),
        seen.attempt,
        seen.retry_at.map(|at| date_now() + at.since(now()) as f64),
        seen.queued as u32,
        seen.queued_bytes as f64,
        seen.last_rtt_ms.map(|millis| millis as f64),
        DeliveryName::of(seen.delivery),
        seen.has_room,
        seen.protocol_errors,
    );
    if let Some(close) = seen.close {
        let (cause, reason) = split(close.reason.clone());
        set_close(&snapshot, close.code, cause, reason, close.was_clean);
    }
    snapshot
}
