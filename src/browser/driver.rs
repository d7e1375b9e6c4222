//! The driver's loop, step by step as the crate documentation numbers it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use js_sys::JsString;
use wasm_bindgen::prelude::*;

use super::alarm::Alarm;
use super::fault::Fault;
use super::frame::Envelope;
use super::handlers::Handlers;
use super::signals::{Signals, is_offline};
use super::socket::Socket;
use super::target::Target;
use super::{clock, entropy};
use crate::proto::subscriptions::Slot;
use crate::proto::{
    Client, Close, Config, ConfigError, Endpoint, EndpointError, Event, Input, Message, Output, Phase, Refused, Sent,
    SocketId, Timestamp,
};

/// The state machine with the browser's types.
pub(crate) type Core = Client<JsString, Envelope>;

/// A running client. Clones share it.
#[derive(Clone)]
pub(crate) struct Driver(Rc<Inner>);

/// News for the face.
pub(crate) enum Notice {
    /// From the state machine; never [`Event::Frame`], which the driver delivers itself.
    Core(Event<JsString, Envelope>),
    /// From the driver.
    Fault(Fault),
}

/// Tells the application, in its own language.
pub(crate) trait Face {
    /// Runs with no borrow held, and may call back into the driver.
    fn notice(&self, driver: &Inner, notice: Notice);
}

pub(crate) struct Inner {
    pub(super) core: RefCell<Core>,
    pub(super) socket: Socket,
    pub(super) target: Target,
    pub(super) endpoint: RefCell<Option<Endpoint>>,
    pub(super) this: Weak<Inner>,
    handlers: Handlers,
    signals: Signals,
    alarm: Alarm,
    face: Box<dyn Face>,
    notices: RefCell<VecDeque<Notice>>,
    delivering: Cell<bool>,
    version: Cell<u32>,
    /// Keeps a client alive that the application connected and then let go of.
    anchor: RefCell<Option<Rc<Inner>>>,
}

impl Driver {
    pub(crate) fn new(config: Config, target: Target, face: Box<dyn Face>) -> Result<Self, ConfigError> {
        let core = Core::new(config, entropy::seed())?;
        Ok(Self(Rc::new_cyclic(|this| Inner {
            core: RefCell::new(core),
            socket: Socket::new(this),
            target,
            endpoint: RefCell::new(None),
            this: this.clone(),
            handlers: Handlers::new(),
            signals: Signals::new(this),
            alarm: Alarm::new(),
            face,
            notices: RefCell::new(VecDeque::new()),
            delivering: Cell::new(false),
            version: Cell::new(0),
            anchor: RefCell::new(None),
        })))
    }
}

impl std::ops::Deref for Driver {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    pub(crate) fn connect(&self) -> Result<(), EndpointError> {
        self.prepare()?;
        self.turn(|core, now| core.connect(now));
        Ok(())
    }

    pub(crate) fn reconnect(&self) -> Result<(), EndpointError> {
        self.prepare()?;
        self.turn(|core, now| core.reconnect(now));
        Ok(())
    }

    pub(crate) fn disconnect(&self) {
        self.turn(|core, now| core.disconnect(now));
    }

    pub(crate) fn send(&self, message: Message<JsString>) -> Result<Sent, Refused<JsString>> {
        self.turn(|core, now| core.send(message, now))
    }

    pub(crate) const fn handlers(&self) -> &Handlers {
        &self.handlers
    }

    /// Grows whenever the snapshot changes.
    pub(crate) fn version(&self) -> u32 {
        self.version.get()
    }

    /// Looks at the state machine without changing it. `look` must not call JavaScript.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Core) -> R) -> R {
        look(&self.core.borrow())
    }

    /// Converts a point on the driver's clock to milliseconds since the epoch.
    pub(crate) fn epoch_ms(at: Timestamp) -> f64 {
        clock::epoch_ms() + at.as_millis() as f64 - clock::now().as_millis() as f64
    }

    pub(super) fn opened(&self, socket: SocketId) {
        self.fact(Input::SocketOpened { socket });
    }

    pub(super) fn closed(&self, socket: SocketId, close: Close) {
        self.fact(Input::SocketClosed { socket, close });
    }

    pub(super) fn frame(&self, socket: SocketId, text: &JsValue) {
        match Envelope::decode(text, &self.handlers) {
            Ok(payload) => self.fact(Input::Frame { socket, payload }),
            Err(fault) => self.report(fault),
        }
    }

    pub(super) fn fact(&self, input: Input<JsString, Envelope>) {
        self.turn(|core, now| core.handle_input(input, now));
    }

    /// Tells the application about a problem.
    pub(crate) fn report(&self, fault: Fault) {
        self.notices.borrow_mut().push_back(Notice::Fault(fault));
        self.deliver();
    }

    /// Calls the handlers of a slot in order. One that throws does not stop the others; one that was removed meanwhile is not
    /// called.
    pub(crate) fn call_handlers(&self, slot: Slot, data: &JsValue, message: &JsValue, name: impl Fn() -> JsValue) {
        let Some(list) = self.handlers.list(slot) else { return };
        for (id, handler) in list.iter() {
            if self.handlers.is_current(slot, &list, *id)
                && let Err(cause) = handler.call2(&JsValue::UNDEFINED, data, message)
            {
                self.report(Fault::HandlerFailed { event: name(), cause });
            }
        }
    }

    /// Checks the URL before anything is changed, and tells the state machine what the network looks like.
    fn prepare(&self) -> Result<(), EndpointError> {
        let endpoint = self.target.endpoint()?;
        self.endpoint.replace(Some(endpoint));
        if is_offline() {
            self.fact(Input::NetworkOffline);
        }
        Ok(())
    }

    /// Steps 2 to 6 of the driving contract.
    pub(super) fn turn<R>(&self, act: impl FnOnce(&mut Core, Timestamp) -> R) -> R {
        let now = clock::now();
        let result = act(&mut self.core.borrow_mut(), now);
        self.drain(now);
        self.arm(now);
        self.deliver();
        result
    }

    fn drain(&self, now: Timestamp) {
        let mut undelivered: Option<(SocketId, Vec<Message<JsString>>)> = None;
        loop {
            // The borrow ends with the statement: an effect may call back.
            let output = self.core.borrow_mut().poll_output();
            match output {
                Some(Output::Event(event)) => self.list(event),
                Some(Output::Transmit { socket, message }) => {
                    if undelivered.is_some() || !self.socket.send(socket, &message.frame) {
                        undelivered.get_or_insert_with(|| (socket, Vec::new())).1.push(message);
                    }
                }
                Some(effect) => self.perform(effect),
                None => match undelivered.take() {
                    Some((socket, messages)) => {
                        self.core.borrow_mut().handle_input(Input::Undelivered { socket, messages }, now);
                    }
                    None => break,
                },
            }
        }
    }

    fn list(&self, event: Event<JsString, Envelope>) {
        if let Event::Changed { phase } = event {
            self.version.set(self.version.get().wrapping_add(1));
            if phase {
                self.follow_phase();
            }
        }
        self.notices.borrow_mut().push_back(Notice::Core(event));
    }

    /// A client that may still act on its own listens to the browser and stays alive without the application's help.
    fn follow_phase(&self) {
        let acts_alone = !matches!(self.look(|core| core.snapshot().phase), Phase::Idle | Phase::Fatal);
        let was_anchored = self.anchor.borrow().is_some();
        if acts_alone && !was_anchored {
            self.anchor.replace(self.this.upgrade());
            self.signals.attach();
        } else if !acts_alone && was_anchored {
            self.anchor.take();
            self.signals.detach();
        }
    }

    fn arm(&self, now: Timestamp) {
        let deadline = self.look(|core| core.poll_timeout()).map_or(Timestamp::NEVER, |(at, _)| at);
        let this = &self.this;
        self.alarm.arm(deadline, now, {
            let this = this.clone();
            move || {
                if let Some(this) = this.upgrade() {
                    this.alarm.rang();
                    this.fact(Input::Timeout);
                }
            }
        });
    }

    fn deliver(&self) {
        // A handler that calls back lists its news behind those that wait; the outer call delivers them in order.
        if self.delivering.replace(true) {
            return;
        }
        loop {
            let notice = self.notices.borrow_mut().pop_front();
            match notice {
                Some(Notice::Core(Event::Frame(envelope))) => {
                    if let Some(slot) = envelope.slot() {
                        self.call_handlers(slot, &envelope.data(), envelope.as_js(), || envelope.kind());
                    }
                }
                Some(notice) => self.face.notice(self, notice),
                None => break,
            }
        }
        self.delivering.set(false);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.signals.detach();
    }
}
