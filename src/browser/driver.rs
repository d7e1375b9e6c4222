//! The driver's loop, step by step as the crate documentation numbers it.

use alloc::vec::Vec;
use core::cell::Cell;

#[cfg(feature = "rust")]
use super::counters;
use super::frame::{Incoming, Limits, Text};
use super::held::Held;
use super::host;
use crate::proto::{
    Cause, Checked, Client, Close, Delivery, Event, Input, Message, Numbers, Output, Phase, Purpose, Reason, Refusal,
    Sent, SocketId, Timestamp,
};

/// The state machine with the browser's types.
pub(crate) type Core = Client<Text, Incoming>;

/// A running client.
pub(crate) struct Driver<F> {
    core: Held<Core>,
    face: F,
    socket: Cell<Option<SocketId>>,
    deadline: Cell<Timestamp>,
    awake: Cell<bool>,
    frame_is_current: Cell<bool>,
    /// What the welcome that follows says of the server.
    limits: Cell<Limits>,
}

/// Tells the application, in its own language.
pub(crate) trait Face: Sized {
    /// What makes the client the current one of `host.js`, as long as it lives.
    type Entered;

    /// Makes the client the current one, unless JavaScript has done so.
    fn enter(&self) -> Self::Entered;

    /// Takes note of what happened, and runs no user code; never [`Event::Frame`], whose payload JavaScript delivers itself.
    fn notice(&self, driver: &Driver<Self>, event: Event<Text, Incoming>);

    /// The application's token function threw, rejected, or returned something else than a token.
    fn token_failed(&self);

    /// Tells what was noted, unless JavaScript does when the call returns. Nothing is borrowed, and user code may call back into
    /// the driver.
    fn deliver(&self) {}

    /// The client has begun, or ceased, to act on its own.
    fn acts_alone(&self, acts_alone: bool) {
        let _ = acts_alone;
    }
}

/// The monotonic clock that every decision is made by.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(host::performance_now() as u64)
}

impl<F: Face> Driver<F> {
    pub(crate) fn new(config: Checked, face: F) -> Self {
        Self {
            core: Held::new(Core::with_checked(config, host::seed() as u64)),
            face,
            socket: Cell::new(None),
            deadline: Cell::new(Timestamp::NEVER),
            awake: Cell::new(false),
            frame_is_current: Cell::new(false),
            limits: Cell::default(),
        }
    }

    /// Looks at the network if nothing is watching it. To be called before a command that connects.
    pub(crate) fn look_at_network(&self) {
        if !self.awake.get() {
            let _entered = self.face.enter();
            self.fact(if host::is_offline() { Input::NetworkOffline } else { Input::NetworkOnline }, now());
        }
    }

    /// Step 2 of the driving contract for commands.
    pub(crate) fn act<R>(&self, command: impl FnOnce(&mut Core, Timestamp) -> R) -> R {
        let _entered = self.face.enter();
        let now = now();
        let answer = command(&mut self.core.borrow_mut(), now);
        self.follow_up(now);
        answer
    }

    /// What has really become of a message that was just accepted: the socket may have turned out to be closing. Then what would be worthless
    /// later is dropped, and what nobody acknowledges waits.
    pub(crate) fn confirm(&self, sent: Sent, is_ephemeral: bool) -> Result<Sent, Refusal> {
        let (is_open, delivery) = self.look(|core| (core.is_open(), core.delivery()));
        if is_open || sent == Sent::Queued {
            Ok(sent)
        } else if is_ephemeral {
            Err(Refusal::NotOpen)
        } else {
            Ok(if delivery == Delivery::AtMostOnce { Sent::Queued } else { sent })
        }
    }

    /// Looks at the state machine without changing it. `look` must not run user code.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Core) -> R) -> R {
        look(&self.core.borrow())
    }

    #[cfg(feature = "rust")]
    pub(crate) const fn face(&self) -> &F {
        &self.face
    }

    /// A fact, by the number that `host.js` has for it. Says of a frame whether its payload, which JavaScript has kept, is to be
    /// delivered.
    pub(crate) fn signal(&self, at: f64, fact: u32, a: f64, b: f64, c: f64) -> bool {
        let numbers = [a, b, c].map(|number| number as u64);
        let [number, flag, _] = numbers;
        let socket = self.socket.get();
        let input = match (fact, socket) {
            (11, _) => {
                self.deadline.set(Timestamp::NEVER);
                Input::Timeout
            }
            (12, _) => Input::NetworkOnline,
            (13, _) => Input::NetworkOffline,
            (14, _) => Input::PageVisible,
            (15, _) => Input::PageRestored,
            (17 | 18, _) => {
                // The application may have disconnected while the token was on its way.
                let Some(attempt) = self.look(Core::socket).filter(|id| u64::from(id.number()) == number) else {
                    return false;
                };
                if fact == 17 && host::open_socket() {
                    self.set_socket(Some(attempt));
                    return false;
                }
                if fact == 18 {
                    self.face.token_failed();
                }
                let cause = if fact == 18 { Cause::NoToken } else { Cause::NoSocket };
                Input::OpenFailed { socket: attempt, cause }
            }
            (10, Some(socket)) => Input::SocketOpened { socket },
            (19, Some(socket)) => {
                self.set_socket(None);
                let close = Close { code: number as u16, reason: Reason::Peer(0), was_clean: flag > 0 };
                Input::SocketClosed { socket, close }
            }
            (9, Some(socket)) => Input::Position { socket, stream: number as u32, offset: flag },
            (20, _) => {
                self.core.borrow_mut().announce_position(number as u32, flag);
                return false;
            }
            (21, _) => {
                self.limits.set(Limits { max_bytes: number, remember_ms: flag });
                return false;
            }
            (_, Some(socket)) => Input::Frame { socket, payload: Incoming::new(fact, numbers, self.limits.get()) },
            (_, None) => return false,
        };
        // Frames bring the time at which they came.
        let now = if at > 0.0 { Timestamp::from_millis(at as u64) } else { now() };
        self.fact(input, now);
        self.frame_is_current.replace(false)
    }

    /// Step 2 of the driving contract for facts.
    fn fact(&self, input: Input<Text, Incoming>, now: Timestamp) {
        self.core.borrow_mut().handle_input(input, now);
        self.follow_up(now);
    }

    /// Steps 3 to 6.
    fn follow_up(&self, now: Timestamp) {
        self.drain(now);
        let deadline = self.look(Core::poll_timeout).map_or(Timestamp::NEVER, |(at, _)| at);
        if self.deadline.replace(deadline) != deadline {
            let delay = deadline.since(now).min(LONGEST_DELAY_MS) as f64;
            host::set_alarm(if deadline < Timestamp::NEVER { delay } else { -1.0 });
        }
        self.face.deliver();
    }

    fn drain(&self, now: Timestamp) {
        let mut buffered = None;
        let mut refused_by = None;
        let mut undelivered = Vec::new();
        // The latest message that was not sent and that nobody will acknowledge.
        let mut unsent = 0;
        loop {
            // The borrow ends with the statement: an effect may call back.
            let output = self.core.borrow_mut().poll_output();
            let input = match output {
                Some(Output::Event(Event::Transmitted { seq })) if seq == unsent => continue,
                Some(Output::Event(event)) => {
                    self.note(event);
                    continue;
                }
                Some(Output::Transmit { socket, message, numbers }) => {
                    let bytes = if refused_by.is_some() { -1.0 } else { transmit(&message, numbers) };
                    if bytes == -1.0 {
                        refused_by.get_or_insert(socket);
                        unsent = if numbers.is_none() { message.seq } else { unsent };
                        undelivered.push(message);
                    } else {
                        buffered = Some(Input::Buffered { socket, bytes: bytes as u64 });
                    }
                    continue;
                }
                Some(Output::CheckBuffer { socket }) => {
                    Some(Input::Buffered { socket, bytes: host::buffered_amount() as u64 })
                }
                Some(effect) => {
                    self.perform(effect);
                    continue;
                }
                None => match refused_by.take() {
                    Some(socket) => Some(Input::Undelivered { socket, messages: core::mem::take(&mut undelivered) }),
                    None => buffered.take(),
                },
            };
            let Some(input) = input else { return };
            self.core.borrow_mut().handle_input(input, now);
        }
    }

    fn perform(&self, effect: Output<Text, Incoming>) {
        match effect {
            Output::Open { socket, token_refused } => host::ask_for_token(token_refused.into(), socket.number() as i32),
            // A ping or a hello that the socket does not take stays unanswered, which says all there is to say.
            Output::Ping { .. } => host::ping(),
            Output::Hello { sender, resumes, .. } => {
                self.look(|core| {
                    for (stream, offset) in core.positions() {
                        host::note_position(stream as i32, offset as f64);
                    }
                });
                host::hello(sender.unwrap_or(0) as i32, resumes.into());
            }
            Output::Close { .. } => host::close_socket(),
            Output::Abandon { .. } => {
                self.set_socket(None);
                host::drop_socket();
            }
            Output::Release { frame, is_done } => host::release(frame as i32, is_done.into()),
            Output::Transmit { .. } | Output::CheckBuffer { .. } | Output::Event(_) => {}
        }
    }

    fn set_socket(&self, socket: Option<SocketId>) {
        let _before = self.socket.replace(socket);
        #[cfg(feature = "rust")]
        counters::count_socket(_before.is_some(), socket.is_some());
    }

    fn note(&self, event: Event<Text, Incoming>) {
        match event {
            Event::Frame(_) => return self.frame_is_current.set(true),
            Event::Changed { phase: true } => self.follow_phase(),
            _ => {}
        }
        self.face.notice(self, event);
    }

    /// A client that may still act on its own watches the page.
    fn follow_phase(&self) {
        let acts_alone = !matches!(self.look(|core| core.snapshot().phase), Phase::Idle | Phase::Fatal);
        if acts_alone != self.awake.replace(acts_alone) {
            host::watch_page(acts_alone.into());
            self.face.acts_alone(acts_alone);
        }
    }
}

fn transmit(message: &Message<Text>, numbers: Option<Numbers>) -> f64 {
    match (&message.purpose, numbers) {
        (Purpose::Rejoin(session), _) => host::rejoin(*session as i32),
        (_, Some(Numbers { seq, prev })) => host::transmit(message.frame as i32, seq as f64, prev as f64, 0),
        (_, None) => host::transmit(message.frame as i32, 0.0, 0.0, 1),
    }
}

/// Browsers fire longer timeouts at once (WHATWG HTML, timers: the delay is a signed 32-bit integer).
const LONGEST_DELAY_MS: u64 = i32::MAX as u64;
