//! What ties the driver to this face: how JavaScript reaches it, what keeps it alive, and what it tells.

use std::cell::OnceCell;
use std::rc::{Rc, Weak};

use wasm_bindgen::prelude::*;

use super::error::{ClientError, RequestError};
use super::event::ClientEvent;
use super::host::{self, Store};
use super::news::FrameKind;
use super::requests::{Outcome, Requests};
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
    news: Rc<FrameKind>,
    requests: Requests,
    this: OnceCell<Weak<RustDriver>>,
    /// Keeps a client alive that the application connected and then let go of.
    anchor: Held<Option<Rc<RustDriver>>>,
    attached: OnceCell<Attached>,
}

/// What JavaScript calls.
struct Attached {
    store: Store,
    _signal: (Closure<Signal>, Counted),
    _settle: (Closure<Settle>, Counted),
}

/// What `tell` in `host.js` calls.
type Signal = dyn Fn(f64, u32, f64, f64, f64) -> bool;

/// What `receive` in `host.js` calls with what the server says of one message: the kind of its news, its number, its data.
type Settle = dyn Fn(u32, f64, JsValue);

impl RustFace {
    pub(super) fn new(store: Store, news: Rc<FrameKind>) -> Self {
        let (this, anchor, attached) = (OnceCell::new(), Held::new(None), OnceCell::new());
        Self { store, news, requests: Requests::default(), this, anchor, attached }
    }

    /// Lets JavaScript call the driver that this face belongs to.
    pub(super) fn attach(&self, driver: &Rc<RustDriver>) {
        let this = Rc::downgrade(driver);
        _ = self.this.set(this.clone());
        let that = this.clone();
        // The reference that is made here keeps the driver until the call is over, whatever a handler drops.
        let signal: Box<Signal> =
            Box::new(move |now, fact, a, b, c| this.upgrade().is_some_and(|driver| driver.signal(now, fact, a, b, c)));
        let signal = Closure::wrap(signal);
        let settle: Box<Settle> = Box::new(move |news, seq, data| {
            if let Some(driver) = that.upgrade() {
                driver.face().hear(news, seq as u64, &data);
            }
        });
        let settle = Closure::wrap(settle);
        host::attach(&self.store, signal.as_ref(), settle.as_ref());
        let (signal, settle) = ((signal, Counted::new()), (settle, Counted::new()));
        _ = self.attached.set(Attached { store: self.store.clone(), _signal: signal, _settle: settle });
    }

    /// Hears what the server says of one message.
    fn hear(&self, news: u32, seq: u64, data: &JsValue) {
        match news {
            5 => {
                self.settle(seq, || Err(RequestError::rejected(data)));
                self.news.note(ClientEvent::rejected(seq, data));
            }
            6 => self.settle(seq, || Ok(host::result(data))),
            7 => self.news.note(ClientEvent::receipt(seq, data)),
            _ => {}
        }
        self.news.deliver();
    }

    /// Notes what became of a request, if the message is one.
    pub(super) fn settle(&self, seq: u64, outcome: impl FnOnce() -> Outcome) {
        let waker = self.requests.settle(seq, outcome);
        self.news.wake_one(waker);
    }

    pub(super) const fn requests(&self) -> &Requests {
        &self.requests
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        host::detach(&self.store);
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
            Event::Dropped { message, reason } => {
                self.settle(message.seq, || Err(RequestError::Dropped(reason)));
                ClientEvent::dropped(&self.store, message.frame, reason)
            }
            Event::RequestFailed { seq, failure } => {
                return self.settle(seq, || Err(RequestError::failed(failure)));
            }
            Event::Changed { .. } => {
                self.news.wake_later();
                ClientEvent::Changed(Snapshot::take(driver))
            }
            Event::Acknowledged { seq, .. } => ClientEvent::Acknowledged { seq },
            Event::Gap { stream, from, to } => {
                ClientEvent::Gap { stream: host::stream_name(&self.store, stream), from, to }
            }
            Event::ProtocolViolation(violation) => ClientEvent::Error(ClientError::Protocol(violation)),
            // The queue in the snapshot tells what was sent.
            Event::Frame(_) | Event::Transmitted { .. } => return,
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
