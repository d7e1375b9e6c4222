//! What happens to the connection, told in order to whoever listens or waits.

use std::cell::{Cell, OnceCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use wasm_bindgen::JsValue;

use super::ClientError;
use super::error::NotConnected;
use super::event::ClientEvent;
use super::face::RustDriver;
use super::handlers::Registry;
use super::host::{Store, notify, report_error};
use super::snapshot::readable;
use super::waiters::Waiters;
use crate::browser::held::Held;
use crate::proto::Phase;

/// The name that listeners are kept under. Events of the server that are named so are refused, so none can pretend to be news.
pub(super) const NEWS: &str = "state";

/// PositionUpdate events that wait, and futures that wait for a connection or for room.
#[derive(Default)]
pub(super) struct News {
    store: OnceCell<Store>,
    waiting: Held<VecDeque<ClientEvent>>,
    current: Held<Option<Rc<ClientEvent>>>,
    telling: Cell<bool>,
    waiters: Waiters,
    due: Held<Vec<Waker>>,
}

impl News {
    /// Starts to hear of the errors that JavaScript notices.
    pub(super) fn listen(self: &Rc<Self>, store: &Store, registry: &Registry) {
        _ = self.store.set(store.clone());
        let news = Rc::downgrade(self);
        let hear = move |error: JsValue, envelope: JsValue| {
            if let Some(news) = news.upgrade()
                && envelope.is_undefined()
            {
                news.hear(&error);
            }
        };
        registry.add("error", Box::new(hear));
    }

    /// Tells every listener. What a listener causes is told when the others have heard of this.
    pub(super) fn tell(&self, event: ClientEvent) {
        self.note(event);
        self.deliver();
    }

    /// Tells every listener at the next [`deliver`](Self::deliver).
    pub(super) fn note(&self, event: ClientEvent) {
        self.waiting.borrow_mut().push_back(event);
    }

    /// Wakes whoever waits for something to change at the next [`deliver`](Self::deliver).
    pub(super) fn wake_later(&self) {
        let wakers = self.waiters.take();
        self.due.borrow_mut().extend(wakers);
    }

    /// Wakes one task at the next [`deliver`](Self::deliver).
    pub(super) fn wake_one(&self, waker: Option<Waker>) {
        self.due.borrow_mut().extend(waker);
    }

    /// Tells what was noted. Runs user code.
    pub(super) fn deliver(&self) {
        for waker in self.due.replace(Vec::new()) {
            waker.wake();
        }
        if self.telling.replace(true) {
            return;
        }
        loop {
            let Some(event) = self.waiting.borrow_mut().pop_front() else { break };
            self.current.replace(Some(Rc::new(event)));
            if let Some(store) = self.store.get() {
                // Through JavaScript, which catches what a listener throws.
                notify(store, NEWS);
            }
        }
        self.current.replace(None);
        self.telling.set(false);
    }

    /// The event that is being told.
    pub(super) fn current(&self) -> Option<Rc<ClientEvent>> {
        self.current.borrow().clone()
    }

    /// Waits until `look` has an answer. It looks again whenever something has changed.
    pub(super) async fn wait_for<T>(&self, look: impl Fn() -> Option<T>) -> T {
        self.waiters.wait_for(look).await
    }

    fn hear(&self, error: &JsValue) {
        let report = ClientError::from_js(error);
        let by_listener = matches!(&report, ClientError::HandlerFailed { event, .. } if event == NEWS);
        let of_error = matches!(self.current().as_deref(), Some(ClientEvent::Error(_)));
        // A listener that throws at errors must not be told of its own for ever.
        if by_listener && of_error {
            report_error(error);
        } else {
            self.tell(ClientEvent::Error(report));
        }
    }
}

/// Whether the connection is open, or will not open by itself; `None` while that is not known.
pub(super) fn connection(driver: &RustDriver) -> Option<Result<(), NotConnected>> {
    driver.look(|core| {
        let seen = core.snapshot();
        match seen.phase {
            Phase::Open => Some(Ok(())),
            Phase::Idle => Some(Err(NotConnected::Disconnected)),
            Phase::GivenUp => Some(Err(NotConnected::GaveUp { attempts: seen.attempt })),
            Phase::Fatal => {
                Some(Err(NotConnected::Fatal(seen.close.map(|close| readable(driver.face().store(), close)))))
            }
            Phase::Connecting | Phase::Closing | Phase::Waiting | Phase::Offline => None,
        }
    })
}
