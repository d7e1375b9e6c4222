//! News and snapshots as JavaScript objects.

use wasm_bindgen::JsValue;

use super::host;
use crate::browser::frame::Incoming;
use crate::browser::host::{Handlers, Text};
use crate::browser::{Face, Inner, now};
use crate::proto::{Close, Event, Message, Reason, Snapshot};

/// Passes everything on to the store that holds the handlers.
pub(super) struct JsFace;

impl Face for JsFace {
    fn notice(&self, driver: &Inner, event: Event<Text, Incoming>) {
        let store = driver.handlers();
        let tell = |news, [a, b, c]: [u64; 3]| host::tell(store, news, a as f64, b as f64, c as f64);
        match event {
            Event::Opened => tell(0, [0; 3]),
            Event::Closed(close) => host::tell_closed(store, &close_info(&close)),
            Event::Reconnecting { attempt, delay_ms } => tell(1, [attempt.into(), delay_ms, 0]),
            Event::GaveUp { attempts } => tell(2, [attempts.into(), 0, 0]),
            Event::Transmitted { seq } => tell(3, [seq, 0, 0]),
            Event::RequestFailed { seq, failure } => tell(4, [seq, failure as u64, 0]),
            Event::Violation(violation) => tell(5, [violation as u64, 0, 0]),
            // An end is at least 1, so 0 can stand for none.
            Event::Gap { stream, from, to } => tell(6, [stream.into(), from, to.unwrap_or(0)]),
            Event::Acknowledged { sender, seq } => host::tell_acknowledged(store, &value(sender), seq as f64),
            Event::Dropped { message, reason } => {
                let Message { frame, seq, sender, .. } = *message;
                host::tell_dropped(store, &frame, reason as u32, &value(sender), seq as f64);
            }
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
            seen.delivery as u32,
            seen.has_room,
            seen.protocol_errors,
        );
    }
}

fn value(text: Option<Text>) -> JsValue {
    text.map_or(JsValue::UNDEFINED, JsValue::from)
}

fn close_info(close: &Close<Text>) -> JsValue {
    match &close.reason {
        Reason::Peer(reason) => host::close_info(close.code, reason, close.was_clean),
        Reason::Client(cause) => host::close_info(close.code, &JsValue::from(*cause as u32), close.was_clean),
    }
}
