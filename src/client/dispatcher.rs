//! What the application is told, in order, and the tasks that wait for something to change.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use wasm_bindgen::JsValue;

#[cfg(feature = "json")]
use super::chat::Chats;
use super::error::ClientError;
use super::event::ClientEvent;
use super::handlers::{Audience, Registry};
use super::requests::{Outcome, Requests};
use super::waiters::Waiters;
use crate::reentrancy_cell::ReentrancyCell;
use crate::web::{Envelope, WebValue, report_error};

/// Everything that a client tells its application. Nothing is told while something is borrowed.
#[derive(Default)]
pub(crate) struct Dispatcher {
    registry: Registry,
    /// Are told of everything before the handlers.
    #[cfg(feature = "json")]
    chats: Chats,
    pending: ReentrancyCell<VecDeque<Pending>>,
    /// The event that listeners are being told.
    current: ReentrancyCell<Option<Rc<ClientEvent>>>,
    is_delivering: Cell<bool>,
    requests: Requests,
    waiters: Waiters,
    /// The tasks to wake at the next delivery.
    due: ReentrancyCell<Vec<Waker>>,
}

/// What waits to be told.
enum Pending {
    Event(ClientEvent),
    Frame(WebValue),
    #[cfg(feature = "json")]
    Transmitted(u64),
}

impl Dispatcher {
    pub(super) const fn registry(&self) -> &Registry {
        &self.registry
    }

    #[cfg(feature = "json")]
    pub(super) const fn chats(&self) -> &Chats {
        &self.chats
    }

    pub(super) const fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Tells every listener. What a listener causes is told when the others have heard of this.
    pub(crate) fn dispatch(&self, event: ClientEvent) {
        self.record(event);
        self.deliver();
    }

    /// Tells every listener at the next [`deliver`](Self::deliver).
    pub(crate) fn record(&self, event: ClientEvent) {
        self.pending.borrow_mut().push_back(Pending::Event(event));
    }

    /// Hands a frame to the handlers of its type at the next [`deliver`](Self::deliver).
    pub(crate) fn record_frame(&self, frame: WebValue) {
        self.pending.borrow_mut().push_back(Pending::Frame(frame));
    }

    /// Notes that a message was handed to the socket, for the next [`deliver`](Self::deliver).
    #[cfg(feature = "json")]
    pub(crate) fn record_transmission(&self, seq: u64) {
        if self.chats.is_tracking(seq) {
            self.pending.borrow_mut().push_back(Pending::Transmitted(seq));
        }
    }

    /// Notes what became of a request, if the message is one, for the next [`deliver`](Self::deliver).
    pub(crate) fn resolve_request(&self, seq: u64, outcome: impl FnOnce() -> Outcome) {
        let waker = self.requests.resolve(seq, outcome);
        self.due.borrow_mut().extend(waker);
    }

    /// Wakes whoever waits for something to change at the next [`deliver`](Self::deliver).
    pub(crate) fn wake_later(&self) {
        let wakers = self.waiters.take();
        self.due.borrow_mut().extend(wakers);
    }

    /// Waits until `look` has an answer. It looks again whenever something has changed.
    pub(super) async fn wait_for<T>(&self, look: impl Fn() -> Option<T>) -> T {
        self.waiters.wait_for(look).await
    }

    /// Tells what was recorded. Runs code of the application, which may come back here.
    pub(crate) fn deliver(&self) {
        for waker in self.due.replace(Vec::new()) {
            waker.wake();
        }
        if self.is_delivering.replace(true) {
            return;
        }
        loop {
            // The borrow ends with the statement.
            let pending = self.pending.borrow_mut().pop_front();
            match pending {
                Some(Pending::Event(event)) => self.call_listeners(event),
                Some(Pending::Frame(frame)) => self.call_handlers(frame),
                #[cfg(feature = "json")]
                Some(Pending::Transmitted(seq)) => self.chats.transmitted(seq),
                None => break,
            }
        }
        self.is_delivering.set(false);
    }

    /// The event that listeners are being told.
    pub(super) fn current(&self) -> Option<Rc<ClientEvent>> {
        self.current.borrow_mut().clone()
    }

    fn call_listeners(&self, event: ClientEvent) {
        #[cfg(feature = "json")]
        self.chats.hear(&event);
        let is_error = matches!(event, ClientEvent::Error(_));
        self.current.replace(Some(Rc::new(event)));
        self.registry.call(&Audience::Listeners, &JsValue::UNDEFINED, &JsValue::UNDEFINED, |cause| {
            // A listener that throws at errors must not be told of its own for ever.
            if is_error {
                report_error(&cause);
            } else {
                self.record(handler_failed(LISTENERS.into(), cause));
            }
        });
        self.current.replace(None);
    }

    fn call_handlers(&self, frame: WebValue) {
        match Envelope::check(frame) {
            Ok(Envelope { event, data, envelope }) => {
                #[cfg(feature = "json")]
                if let Err(error) = self.chats.hear_frame(&event, &data) {
                    self.record(ClientEvent::Error(error));
                }
                let audience = Audience::Handlers(event.clone());
                self.registry
                    .call(&audience, &data, &envelope, |cause| self.record(handler_failed(event.clone(), cause)));
            }
            Err(error) => self.record(ClientEvent::Error(error)),
        }
    }
}

fn handler_failed(event: String, cause: JsValue) -> ClientEvent {
    ClientEvent::Error(ClientError::HandlerFailed { event, cause })
}

/// What [`ClientError::HandlerFailed`] names when a listener of the connection has failed.
const LISTENERS: &str = "state";
