//! What ties the driver to this face: how JavaScript reaches it, what keeps it alive, and what it tells.

use std::cell::OnceCell;
use std::rc::{Rc, Weak};

use wasm_bindgen::prelude::*;

use super::error::ClientError;
use super::event::ClientEvent;
use super::host::{self, Store};
use super::news::News;
use super::snapshot::{Snapshot, readable};
use crate::browser::counters::Counted;
use crate::browser::frame::{Incoming, Text};
use crate::browser::held::Held;
use crate::browser::{Driver, Face};
use crate::proto::Event;

/// The driver of one client. JavaScript reaches it through a weak reference.
pub(super) type RustDriver = Driver<RustFace>;

pub(super) struct RustFace {
    store: Store,
    news: Rc<News>,
    this: OnceCell<Weak<RustDriver>>,
    /// Keeps a client alive that the application connected and then let go of.
    anchor: Held<Option<Rc<RustDriver>>>,
    signal: OnceCell<(Closure<Signal>, Counted)>,
}

/// What `tell` in `host.js` calls.
type Signal = dyn Fn(f64, u32, f64, f64, f64) -> bool;

impl RustFace {
    pub(super) const fn new(store: Store, news: Rc<News>) -> Self {
        let anchor = Held::new(None);
        Self { store, news, this: OnceCell::new(), anchor, signal: OnceCell::new() }
    }

    /// Lets JavaScript call the driver that this face belongs to.
    pub(super) fn attach(&self, driver: &Rc<RustDriver>) {
        let this = Rc::downgrade(driver);
        _ = self.this.set(this.clone());
        // The reference that is made here keeps the driver until the call is over, whatever a handler drops.
        let signal: Box<Signal> =
            Box::new(move |now, fact, a, b, c| this.upgrade().is_some_and(|driver| driver.signal(now, fact, a, b, c)));
        let signal = Closure::wrap(signal);
        host::attach(&self.store, signal.as_ref());
        _ = self.signal.set((signal, Counted::new()));
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }
}

/// Makes the client before the current one again when it is dropped.
pub(super) struct Entered(JsValue);

impl Drop for Entered {
    fn drop(&mut self) {
        host::enter(&self.0);
    }
}

impl Face for RustFace {
    type Entered = Entered;

    fn enter(&self) -> Entered {
        Entered(host::enter(&self.store))
    }

    fn notice(&self, driver: &RustDriver, event: Event<Text, Incoming>) {
        let news = match event {
            Event::Opened => ClientEvent::Opened,
            Event::Closed(close) => ClientEvent::Closed(readable(&self.store, &close)),
            Event::Reconnecting { attempt, delay_ms } => ClientEvent::Reconnecting { attempt, delay_ms },
            Event::GaveUp { attempts } => ClientEvent::GaveUp { attempts },
            Event::Dropped { message, reason } => ClientEvent::dropped(&self.store, message.frame, reason),
            Event::Changed { .. } => {
                self.news.wake_later();
                ClientEvent::Changed(Snapshot::take(driver))
            }
            Event::Acknowledged { seq, .. } => ClientEvent::Acknowledged { seq },
            Event::Gap { stream, from, to } => {
                ClientEvent::Gap { stream: host::stream_name(&self.store, stream), from, to }
            }
            Event::Violation(violation) => ClientEvent::Error(ClientError::Protocol(violation)),
            // This face has no requests, and its queue tells what was sent.
            Event::Frame(_) | Event::Transmitted { .. } | Event::RequestFailed { .. } => return,
        };
        self.news.note(news);
    }

    fn token_failed(&self) {
        self.news.note(ClientEvent::Error(ClientError::from_js(&host::get(&self.store, "failure"))));
    }

    fn deliver(&self) {
        self.news.deliver();
    }

    fn acts_alone(&self, acts_alone: bool) {
        let anchor = if acts_alone { self.this.get().and_then(Weak::upgrade) } else { None };
        drop(self.anchor.replace(anchor));
    }
}
