//! The driver's loop, step by step as the crate documentation numbers it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::Cell;

use wasm_bindgen::JsValue;

use super::alarm::Alarm;
use super::frame::Incoming;
use super::held::Held;
use super::host::{self, Handlers, Stop, Text};
use super::listeners::Listeners;
use super::socket::Socket;
use crate::proto::{Checked, Client, Event, Input, Message, Output, Phase, Refused, Sent, Snapshot, Timestamp};

/// The state machine with the browser's types.
pub(crate) type Core = Client<Text, Incoming>;

/// A running client. Clones share it.
#[derive(Clone)]
pub(crate) struct Driver(Rc<Inner>);

/// Tells the application, in its own language. Runs with no borrow held, and may call back into the driver.
pub(crate) trait Face {
    /// Something happened; never [`Event::Frame`], whose payload JavaScript delivers itself.
    fn notice(&self, driver: &Inner, event: Event<Text, Incoming>);

    /// The application's token function threw, rejected, or returned something else than a token.
    fn failed(&self, driver: &Inner, error: &JsValue);

    /// The snapshot differs from what it was. Comes before the news of it, while the state machine is borrowed, so it must not run
    /// user code.
    fn changed(&self, handlers: &Handlers, snapshot: &Snapshot<'_, Text>) {
        let _ = (handlers, snapshot);
    }
}

/// The monotonic clock that every decision is made by.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(host::performance_now() as u64)
}

pub(crate) struct Inner {
    pub(super) socket: Socket,
    pub(super) listeners: Listeners,
    pub(super) alarm: Alarm,
    core: Held<Core>,
    handlers: Handlers,
    face: Box<dyn Face>,
    events: Held<VecDeque<Event<Text, Incoming>>>,
    delivering: Cell<bool>,
    frame_is_current: Cell<bool>,
    this: Weak<Inner>,
    awake: Held<Option<Awake>>,
}

/// What a client needs as long as it may act on its own.
struct Awake {
    /// Keeps a client alive that the application connected and then let go of.
    _anchor: Option<Rc<Inner>>,
    stop_watching: Stop,
}

impl Driver {
    pub(crate) fn new(config: Checked, handlers: Handlers, face: Box<dyn Face>) -> Self {
        let core = Core::with_checked(config, host::seed());
        Self(Rc::new_cyclic(|this| Inner {
            socket: Socket::default(),
            listeners: Listeners::new(this, &handlers),
            alarm: Alarm::new(),
            core: Held::new(core),
            handlers,
            face,
            events: Held::default(),
            delivering: Cell::new(false),
            frame_is_current: Cell::new(false),
            this: this.clone(),
            awake: Held::default(),
        }))
    }
}

impl core::ops::Deref for Driver {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    /// A command that connects. The network is looked at if nothing was watching it.
    pub(crate) fn connect(&self, command: fn(&mut Core, Timestamp)) {
        if self.awake.borrow().is_none() {
            self.fact(if host::is_offline() { Input::NetworkOffline } else { Input::NetworkOnline });
        }
        self.act(command);
    }

    /// Step 2 of the driving contract for commands.
    pub(crate) fn act<R>(&self, command: impl FnOnce(&mut Core, Timestamp) -> R) -> R {
        let now = now();
        let answer = command(&mut self.core.borrow_mut(), now);
        self.follow_up(now);
        answer
    }

    pub(crate) fn send(&self, message: Box<Message<Text>>) -> Result<Sent, Refused<Text>> {
        self.act(|core, now| core.send(message, now))
    }

    pub(crate) const fn handlers(&self) -> &Handlers {
        &self.handlers
    }

    /// Looks at the state machine without changing it. `look` must not call JavaScript.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Core) -> R) -> R {
        look(&self.core.borrow())
    }

    pub(super) fn face(&self) -> &dyn Face {
        &*self.face
    }

    /// A fact, by the number that `host.js` has for it. Says of a frame whether its payload, which JavaScript has kept, is to be
    /// delivered.
    pub(super) fn signal(&self, at: f64, fact: u32, numbers: [u64; 3]) -> bool {
        let socket = self.socket.current();
        let input = match (fact, socket) {
            (11, _) => {
                self.alarm.rang();
                Input::Timeout
            }
            (12, _) => Input::NetworkOnline,
            (13, _) => Input::NetworkOffline,
            (14, _) => Input::PageVisible,
            (15, _) => Input::PageRestored,
            (10, Some(socket)) => Input::SocketOpened { socket },
            (9, Some(socket)) => {
                let [stream, offset, _] = numbers;
                Input::Position { socket, stream: stream as u32, offset }
            }
            (_, Some(socket)) => {
                let now = Timestamp::from_millis(at as u64);
                let payload = Incoming::new(fact, numbers);
                self.core.borrow_mut().handle_input(Input::Frame { socket, payload }, now);
                self.follow_up(now);
                return self.frame_is_current.replace(false);
            }
            (_, None) => return false,
        };
        self.fact(input);
        false
    }

    /// Tells the state machine something while its outputs are drained.
    pub(super) fn tell_core(&self, input: Input<Text, Incoming>) {
        self.core.borrow_mut().handle_input(input, now());
    }

    /// Step 2 of the driving contract for facts.
    pub(super) fn fact(&self, input: Input<Text, Incoming>) {
        let now = now();
        self.core.borrow_mut().handle_input(input, now);
        self.follow_up(now);
    }

    /// Steps 3 to 6.
    fn follow_up(&self, now: Timestamp) {
        self.drain(now);
        let deadline = self.look(Core::poll_timeout).map_or(Timestamp::NEVER, |(at, _)| at);
        self.alarm.arm(deadline, now, &self.listeners.ears);
        self.deliver();
    }

    fn drain(&self, now: Timestamp) {
        let mut buffered = None;
        let mut refused_by = None;
        let mut undelivered = Vec::new();
        loop {
            // The borrow ends with the statement: an effect may call back.
            let output = self.core.borrow_mut().poll_output();
            match output {
                Some(Output::Event(event)) => self.list(event),
                Some(Output::Transmit { socket, message, numbers }) => {
                    let sent = if refused_by.is_some() { None } else { self.socket.send(&message.frame, numbers) };
                    match sent {
                        Some(bytes) => buffered = Some(Input::Buffered { socket, bytes }),
                        None => {
                            refused_by.get_or_insert(socket);
                            undelivered.push(message);
                        }
                    }
                }
                Some(effect) => self.perform(effect),
                None => {
                    let input = match (refused_by.take(), buffered.take()) {
                        (Some(socket), _) => Input::Undelivered { socket, messages: core::mem::take(&mut undelivered) },
                        (None, Some(buffered)) => buffered,
                        (None, None) => return,
                    };
                    self.core.borrow_mut().handle_input(input, now);
                }
            }
        }
    }

    fn list(&self, event: Event<Text, Incoming>) {
        if let Event::Frame(_) = event {
            self.frame_is_current.set(true);
            return;
        }
        if let Event::Changed { phase } = event {
            self.face.changed(&self.handlers, &self.core.borrow().snapshot());
            if phase {
                self.follow_phase();
            }
        }
        self.events.borrow_mut().push_back(event);
    }

    /// A client that may still act on its own watches the page and stays alive without the application's help.
    fn follow_phase(&self) {
        let acts_alone = !matches!(self.look(|core| core.snapshot().phase), Phase::Idle | Phase::Fatal);
        if acts_alone != self.awake.borrow().is_some() {
            let stop_watching = acts_alone.then(|| host::watch_page(&self.listeners.ears));
            let awake = stop_watching.map(|stop_watching| Awake { _anchor: self.this.upgrade(), stop_watching });
            self.awake.replace(awake);
        }
    }

    fn deliver(&self) {
        // A handler that calls back lists its news behind those that wait; the outer call delivers them in order.
        if self.delivering.replace(true) {
            return;
        }
        loop {
            let event = self.events.borrow_mut().pop_front();
            match event {
                Some(event) => self.face.notice(self, event),
                None => break,
            }
        }
        self.delivering.set(false);
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.stop_watching.call();
    }
}
