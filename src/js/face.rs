//! News and snapshots as JavaScript objects.

use alloc::rc::Rc;
use core::cell::Cell;

use wasm_bindgen::JsValue;

use super::host::{self, Changed};
use crate::browser::frame::Incoming;
use crate::browser::held::Held;
use crate::browser::host::{Text, call};
use crate::browser::{Face, Inner, now};
use crate::proto::{Close, DropReason, Event};

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
                call(handlers, "open", &JsValue::UNDEFINED, &JsValue::UNDEFINED);
            }
            Event::Closed(close) => call(handlers, "close", &close_info(&close), &JsValue::UNDEFINED),
            Event::Reconnecting { attempt, delay_ms } => host::tell_reconnecting(handlers, attempt, delay_ms as f64),
            Event::GaveUp { attempts } => host::tell_gave_up(handlers, attempts),
            Event::Dropped { message, reason } => {
                let reason = match reason {
                    DropReason::Overflow => "overflow",
                    DropReason::Expired => "expired",
                    DropReason::Ephemeral => "not_open",
                };
                host::tell_dropped(handlers, &message.frame, reason);
            }
            Event::Changed { phase } => {
                self.0.changed.call();
                if phase {
                    call(handlers, "state", &self.snapshot(driver), &JsValue::UNDEFINED);
                }
            }
            Event::Frame(_) => {}
        }
    }

    fn failed(&self, driver: &Inner, error: &JsValue) {
        self.refused(error);
        call(driver.handlers(), "error", error, &JsValue::UNDEFINED);
    }
}

fn close_info(close: &Close) -> JsValue {
    host::close_info(close.code, &close.reason, close.was_clean)
}
