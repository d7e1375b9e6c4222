//! News and snapshots as JavaScript objects.

use alloc::rc::Rc;
use core::cell::Cell;

use wasm_bindgen::JsValue;

use super::host::{self, Changed};
use crate::browser::frame::Incoming;
use crate::browser::held::Held;
use crate::browser::host::Text;
use crate::browser::{Face, Inner, now};
use crate::proto::{Close, Event, Reason};

/// Delivers news to handlers and keeps the snapshot.
#[derive(Clone)]
pub(super) struct JsFace(Rc<Shared>);

struct Shared {
    changed: Changed,
    version: Cell<Option<u32>>,
    snapshot: Held<JsValue>,
    problem: Held<JsValue>,
}

impl JsFace {
    pub(super) fn new(changed: Changed) -> Self {
        Self(Rc::new(Shared {
            changed,
            version: Cell::new(None),
            snapshot: Held::default(),
            problem: Held::new(JsValue::NULL),
        }))
    }

    /// Takes note of why an attempt could not even start.
    pub(super) fn refused(&self, error: &JsValue) {
        self.note_problem(error.clone());
        self.0.changed.call();
    }

    pub(super) fn snapshot(&self, driver: &Inner) -> JsValue {
        let version = Some(driver.version());
        if self.0.version.replace(version) != version {
            self.0.snapshot.replace(self.build_snapshot(driver));
        }
        self.0.snapshot.borrow().clone()
    }

    fn build_snapshot(&self, driver: &Inner) -> JsValue {
        let now = now();
        driver.look(|core| {
            let seen = core.snapshot();
            host::snapshot(
                seen.phase as u32,
                seen.attempt,
                seen.retry_at.map_or(-1.0, |at| at.since(now) as f64),
                &seen.close.map_or(JsValue::NULL, close_info),
                &self.0.problem.borrow(),
                seen.queued as u32,
                seen.queued_bytes as f64,
                seen.last_rtt_ms.map_or(-1.0, |rtt| rtt as f64),
            )
        })
    }

    fn note_problem(&self, problem: JsValue) {
        self.0.problem.replace(problem);
        self.0.version.set(None);
    }
}

impl Face for JsFace {
    fn notice(&self, driver: &Inner, event: Event<Text, Incoming>) {
        let handlers = driver.handlers();
        match event {
            Event::Opened => {
                self.note_problem(JsValue::NULL);
                host::tell_open(handlers);
            }
            Event::Closed(close) => host::tell_closed(handlers, &close_info(&close)),
            Event::Reconnecting { attempt, delay_ms } => host::tell_reconnecting(handlers, attempt, delay_ms as f64),
            Event::GaveUp { attempts } => host::tell_gave_up(handlers, attempts),
            Event::Dropped { message, reason } => host::tell_dropped(handlers, &message.frame, reason as u32),
            Event::Changed { phase } => {
                self.0.changed.call();
                if phase {
                    host::tell_state(handlers, &self.snapshot(driver));
                }
            }
            Event::Frame(_) => {}
        }
    }

    fn failed(&self, driver: &Inner, error: &JsValue) {
        self.refused(error);
        host::tell_error(driver.handlers(), error);
    }
}

fn close_info(close: &Close<Text>) -> JsValue {
    match &close.reason {
        Reason::Peer(reason) => host::close_info(close.code, reason, close.was_clean),
        Reason::Client(cause) => host::close_info(close.code, &JsValue::from(*cause as u32), close.was_clean),
    }
}
