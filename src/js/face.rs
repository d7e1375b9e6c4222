//! News and snapshots as JavaScript objects.

use wasm_bindgen::JsValue;

use super::host;
use crate::browser::frame::Incoming;
use crate::browser::host::{Handlers, Text};
use crate::browser::{Face, Inner, now};
use crate::proto::{Close, Event, Reason, Snapshot};

/// Passes everything on to the store that holds the handlers.
pub(super) struct JsFace;

impl Face for JsFace {
    fn notice(&self, driver: &Inner, event: Event<Text, Incoming>) {
        let store = driver.handlers();
        match event {
            Event::Opened => host::tell(store, 0, 0, 0.0),
            Event::Closed(close) => host::tell_closed(store, &close_info(&close)),
            Event::Reconnecting { attempt, delay_ms } => host::tell(store, 1, attempt, delay_ms as f64),
            Event::GaveUp { attempts } => host::tell(store, 2, attempts, 0.0),
            Event::Dropped { message, reason } => host::tell_dropped(store, &message.frame, reason as u32),
            Event::Changed { phase } => host::tell_changed(store, phase),
            Event::Frame(_) => {}
        }
    }

    fn failed(&self, driver: &Inner, error: &JsValue) {
        host::tell_error(driver.handlers(), error);
    }

    fn changed(&self, handlers: &Handlers, seen: &Snapshot<'_, Text>) {
        host::set_snapshot(
            handlers,
            seen.phase as u32,
            seen.attempt,
            seen.retry_at.map_or(-1.0, |at| at.since(now()) as f64),
            &seen.close.map_or(JsValue::UNDEFINED, close_info),
            seen.queued as u32,
            seen.queued_bytes as f64,
            seen.last_rtt_ms.map_or(-1.0, |rtt| rtt as f64),
        );
    }
}

fn close_info(close: &Close<Text>) -> JsValue {
    match &close.reason {
        Reason::Peer(reason) => host::close_info(close.code, reason, close.was_clean),
        Reason::Client(cause) => host::close_info(close.code, &JsValue::from(*cause as u32), close.was_clean),
    }
}
