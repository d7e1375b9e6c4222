//! News and snapshots as JavaScript objects.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::convert::{close, error, object, set};
use crate::browser::driver::Inner;
use crate::browser::handlers::{CLOSE, DROP, ERROR, GIVE_UP, OPEN, RECONNECTING, STATE};
use crate::browser::{Face, Fault, Notice, frame};
use crate::proto::{DropReason, Event, Phase};

#[wasm_bindgen]
extern "C" {
    /// The browser's own way to report an exception of a callback (WHATWG HTML, section 8.1.4.6).
    #[wasm_bindgen(js_name = reportError, catch)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;
}

/// Delivers news to handlers and keeps the snapshot.
#[derive(Clone)]
pub(super) struct JsFace(Rc<Shared>);

struct Shared {
    changed: Function,
    version: Cell<Option<u32>>,
    snapshot: RefCell<JsValue>,
    problem: RefCell<JsValue>,
}

impl JsFace {
    pub(super) fn new(changed: Function) -> Self {
        Self(Rc::new(Shared {
            changed,
            version: Cell::new(None),
            snapshot: RefCell::new(JsValue::NULL),
            problem: RefCell::new(JsValue::NULL),
        }))
    }

    /// Notes why an attempt could not even start, and returns it as the error to throw.
    pub(super) fn refuse(&self, driver: &Inner, code: &str, message: &str) -> JsValue {
        let error = error(code, message).into();
        self.note_problem(driver, &error);
        self.tell_changed(driver);
        error
    }

    pub(super) fn snapshot(&self, driver: &Inner) -> JsValue {
        let version = Some(driver.version());
        if self.0.version.replace(version) != version {
            self.0.snapshot.replace(self.build_snapshot(driver));
        }
        self.0.snapshot.borrow().clone()
    }

    fn build_snapshot(&self, driver: &Inner) -> JsValue {
        // Copied out first: building JavaScript objects must not happen under the borrow of the state machine.
        let (phase, attempt, retry_at, last_close, queued, queued_bytes, rtt) = driver.look(|core| {
            let seen = core.snapshot();
            let last_close = seen.close.cloned();
            (seen.phase, seen.attempt, seen.retry_at, last_close, seen.queued, seen.queued_bytes, seen.last_rtt_ms)
        });
        let state = match phase {
            Phase::Connecting => "connecting",
            Phase::Open => "open",
            Phase::Closing => "closing",
            Phase::Idle | Phase::Waiting | Phase::Offline | Phase::GivenUp | Phase::Fatal => "closed",
        };
        object([
            ("state", state.into()),
            ("phase", phase.name().into()),
            ("attempt", attempt.into()),
            ("retryAt", retry_at.map_or(JsValue::NULL, |at| Inner::epoch_ms(at).into())),
            ("close", last_close.as_ref().map_or(JsValue::NULL, close)),
            ("error", self.0.problem.borrow().clone()),
            ("queued", (queued as f64).into()),
            ("queuedBytes", (queued_bytes as f64).into()),
            ("lastRttMs", rtt.map_or(JsValue::NULL, |rtt| (rtt as f64).into())),
        ])
    }

    fn note_problem(&self, driver: &Inner, problem: &JsValue) {
        self.0.problem.replace(problem.clone());
        self.0.version.set(None);
        self.snapshot(driver);
    }

    /// Calls the package's listener, which only passes the news on to the listeners of the store.
    fn tell_changed(&self, driver: &Inner) {
        if let Err(cause) = self.0.changed.call0(&JsValue::UNDEFINED) {
            driver.report(Fault::HandlerFailed { event: "state".into(), cause });
        }
    }

    fn emit(driver: &Inner, slot: usize, data: &JsValue, name: &'static str) {
        driver.call_handlers(slot, data, &JsValue::UNDEFINED, || name.into());
    }

    fn fault(&self, driver: &Inner, fault: Fault) {
        let report = error(fault.code(), &fault.message());
        let unheard = driver.handlers().list(ERROR).is_none_or(|list| list.is_empty());
        match fault {
            Fault::BadFrame { excerpt, .. } => set(&report, "frame", excerpt),
            Fault::HandlerFailed { event, cause } => {
                report.set_cause(&cause);
                set(&report, "event", &event);
                // A handler of `error` that throws must not be called with its own exception for ever.
                if unheard || event == JsValue::from("error") {
                    let _ = report_error(&cause);
                    return;
                }
            }
            Fault::TokenFailed { cause } => {
                report.set_cause(&cause);
                self.note_problem(driver, &report);
            }
            #[cfg(feature = "rust")]
            Fault::Undecodable { .. } => {}
        }
        Self::emit(driver, ERROR, &report, "error");
    }
}

impl Face for JsFace {
    fn notice(&self, driver: &Inner, notice: Notice) {
        match notice {
            Notice::Fault(fault) => self.fault(driver, fault),
            Notice::Core(Event::Opened) => {
                self.note_problem(driver, &JsValue::NULL);
                Self::emit(driver, OPEN, &object([]), "open");
            }
            Notice::Core(Event::Closed(end)) => Self::emit(driver, CLOSE, &close(&end), "close"),
            Notice::Core(Event::Reconnecting { attempt, delay_ms }) => {
                let news = object([("attempt", attempt.into()), ("delayMs", (delay_ms as f64).into())]);
                Self::emit(driver, RECONNECTING, &news, "reconnecting");
            }
            Notice::Core(Event::GaveUp { attempts }) => {
                Self::emit(driver, GIVE_UP, &object([("attempts", attempts.into())]), "give_up");
            }
            Notice::Core(Event::Dropped { message, reason }) => {
                let reason = match reason {
                    DropReason::Overflow => "overflow",
                    DropReason::Expired => "expired",
                    DropReason::Ephemeral => "not_open",
                };
                let news = object([
                    ("type", frame::kind_of(&message.frame)),
                    ("data", frame::data_of(&message.frame)),
                    ("reason", reason.into()),
                ]);
                Self::emit(driver, DROP, &news, "drop");
            }
            Notice::Core(Event::Changed { phase }) => {
                self.tell_changed(driver);
                if phase {
                    Self::emit(driver, STATE, &self.snapshot(driver), "state");
                }
            }
            Notice::Core(Event::Frame(_)) => {}
        }
    }
}
