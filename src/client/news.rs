//! What happens to the connection, told in order to whoever listens or waits.

use std::cell::{Cell, OnceCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::JsValue;

use super::ClientError;
use super::error::NotConnected;
use super::event::ClientEvent;
use super::handlers::{Registry, same};
use super::host::{notify, report_error, stream_name};
use super::snapshot::{Snapshot, readable};
use crate::browser::frame::Incoming;
use crate::browser::held::Held;
use crate::browser::host::{Handlers, Text};
use crate::browser::{Driver, Face, Inner};
use crate::proto::{Event, Phase};

/// The name that listeners are kept under. Events of the server that are named so are refused, so none can pretend to be news.
pub(super) const NEWS: &str = "state";

/// Told events that wait, and futures that wait for a connection.
#[derive(Default)]
pub(super) struct News {
    handlers: OnceCell<Handlers>,
    waiting: Held<VecDeque<ClientEvent>>,
    current: Held<Option<Rc<ClientEvent>>>,
    telling: Cell<bool>,
    wakers: Held<Vec<Waker>>,
}

/// What the driver tells.
pub(super) struct RustFace(pub(super) Rc<News>);

impl News {
    /// Starts to hear of the errors that JavaScript notices.
    pub(super) fn listen(self: &Rc<Self>, handlers: &Handlers, registry: &Registry) {
        _ = self.handlers.set(same(handlers));
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
        self.waiting.borrow_mut().push_back(event);
        if self.telling.replace(true) {
            return;
        }
        loop {
            let Some(event) = self.waiting.borrow_mut().pop_front() else { break };
            self.current.replace(Some(Rc::new(event)));
            if let Some(handlers) = self.handlers.get() {
                // Through JavaScript, which catches what a listener throws.
                notify(handlers, NEWS);
            }
        }
        self.current.replace(None);
        self.telling.set(false);
    }

    /// The event that is being told.
    pub(super) fn current(&self) -> Option<Rc<ClientEvent>> {
        self.current.borrow().clone()
    }

    pub(super) fn poll_connected(&self, driver: &Driver, context: &mut Context<'_>) -> Poll<Result<(), NotConnected>> {
        let answer = driver.look(|core| {
            let seen = core.snapshot();
            match seen.phase {
                Phase::Open => Some(Ok(())),
                Phase::Idle => Some(Err(NotConnected::Disconnected)),
                Phase::GivenUp => Some(Err(NotConnected::GaveUp { attempts: seen.attempt })),
                Phase::Fatal => Some(Err(NotConnected::Fatal(seen.close.map(readable)))),
                Phase::Connecting | Phase::Closing | Phase::Waiting | Phase::Offline => None,
            }
        });
        if let Some(answer) = answer {
            return Poll::Ready(answer);
        }
        let mut wakers = self.wakers.borrow_mut();
        if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            wakers.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&self) {
        for waker in self.wakers.replace(Vec::new()) {
            waker.wake();
        }
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

impl Face for RustFace {
    fn notice(&self, driver: &Inner, event: Event<Text, Incoming>) {
        if let Event::Changed { phase: true } = event {
            self.0.wake();
        }
        let news = match event {
            Event::Opened => ClientEvent::Opened,
            Event::Closed(close) => ClientEvent::Closed(readable(&close)),
            Event::Reconnecting { attempt, delay_ms } => ClientEvent::Reconnecting { attempt, delay_ms },
            Event::GaveUp { attempts } => ClientEvent::GaveUp { attempts },
            Event::Dropped { message, reason } => ClientEvent::dropped(&message.frame, reason),
            Event::Changed { .. } => ClientEvent::Changed(Snapshot::take(driver)),
            Event::Acknowledged { seq, .. } => ClientEvent::Acknowledged { seq },
            Event::Gap { stream, from, to } => {
                ClientEvent::Gap { stream: stream_name(driver.handlers(), stream), from, to }
            }
            Event::Violation(violation) => ClientEvent::Error(ClientError::Protocol(violation)),
            // This face has no requests, and its queue tells what was sent.
            Event::Frame(_) | Event::Transmitted { .. } | Event::RequestFailed { .. } => return,
        };
        self.0.tell(news);
    }

    fn failed(&self, _: &Inner, error: &JsValue) {
        self.0.tell(ClientEvent::Error(ClientError::from_js(error)));
    }
}
