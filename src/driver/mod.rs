//! The driver: the loop between the state machine and the place that it runs in.
//!
//! There is one loop, generic over [`Host`]. Browsers, Rust front ends, the tests' virtual time and the simulation are hosts.
//!
//! # The driving contract
//!
//! Whoever drives [`Client`], a browser or a test, does this and nothing else:
//!
//! 1. Something happens: a socket opens, a frame arrives, a socket closes, the alarm goes off, the network or the page comes
//!    back, or the application gives a command.
//! 2. It goes in with the current time: [`Client::handle_input`], or the command's own method. Time is an argument,
//!    never read; randomness comes from a seed given once.
//! 3. [`Client::poll_output`] is drained until `None`. Socket effects are performed at once; events for the
//!    application go to a list.
//! 4. Every borrow is released.
//! 5. The one alarm is armed anew from [`Client::poll_timeout`] if that changed. Early and late calls are harmless.
//! 6. The listed events go to the application's handlers. A handler that throws is reported, and the others still run.

mod host;
#[cfg(feature = "socketio")]
pub mod socketio;

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use host::{Host, TextOf};

use crate::proto::wire::{self, Value};
use crate::proto::{
    Client, Delivery, Event, Input, Message, Output, Phase, Purpose, Refusal, Sent, Timestamp, ValidatedConfig,
};

/// A state machine with what its driver has to remember.
#[derive(Debug)]
pub struct Driver<V: Value> {
    client: Client<V>,
    /// The deadline that the alarm is armed for.
    deadline: Timestamp,
    /// Whether the host was told that the client is active.
    is_active: bool,
}

impl<V: Value> Driver<V> {
    /// A client that does nothing until it is told to connect; see [`Client::new`] for the arguments.
    pub fn new(config: ValidatedConfig, client_id: V::Text, seed: u64) -> Self {
        let client = Client::with_validated(config, client_id, seed);
        Self { client, deadline: Timestamp::NEVER, is_active: false }
    }

    /// The state machine, to look at.
    pub const fn client(&self) -> &Client<V> {
        &self.client
    }
}

/// Step 2 for what happens in the host.
pub fn handle_input<H: Host>(host: &mut H, input: Input<H::Value>, now: Timestamp) {
    if let Input::Frame { socket, frame } = &input
        && host.is_pong(frame)
    {
        let pong = Input::Pong { socket: *socket };
        host.with_driver(|driver| driver.client.handle_input(pong, now));
    }
    host.with_driver(|driver| driver.client.handle_input(input, now));
    follow_up(host, now);
}

/// The alarm went off.
pub fn handle_timeout<H: Host>(host: &mut H) {
    host.with_driver(|driver| driver.deadline = Timestamp::NEVER);
    let now = host.now();
    handle_input(host, Input::Timeout, now);
}

/// Step 2 for what the application asks for.
pub fn command<H: Host, R>(host: &mut H, command: impl FnOnce(&mut Client<H::Value>, Timestamp) -> R) -> R {
    let now = host.now();
    let answer = host.with_driver(|driver| command(&mut driver.client, now));
    follow_up(host, now);
    answer
}

/// A command that may connect. An idle client has not heard of the network, so it looks first.
pub fn connect<H: Host>(host: &mut H, connect: fn(&mut Client<H::Value>, Timestamp)) {
    if !host.with_driver(|driver| driver.is_active) {
        let input = if host.is_offline() { Input::NetworkOffline } else { Input::NetworkOnline };
        let now = host.now();
        handle_input(host, input, now);
    }
    command(host, connect);
}

/// Sends a message, or queues it. Returns what has become of it and its number.
///
/// The socket may turn out to be closing although the state machine took it for open. Then what is volatile is refused, and what nobody
/// acknowledges waits.
pub fn send<H: Host>(host: &mut H, message: Box<Message<TextOf<H>>>) -> Result<(Sent, u64), Refusal> {
    let is_volatile = message.purpose == Purpose::Volatile;
    let now = host.now();
    let answer = host.with_driver(|driver| {
        let sent = driver.client.send(message, now).map_err(|refused| refused.refusal)?;
        Ok((sent, driver.client.latest_seq()))
    });
    let refused = drain(host, now);
    // Before the application is told of anything, because it may disconnect then.
    let delivery = host.with_driver(|driver| driver.client.delivery());
    finish_turn(host, now);
    let (sent, seq) = answer?;
    if sent == Sent::Queued || refused < seq {
        Ok((sent, seq))
    } else if is_volatile {
        Err(Refusal::NotOpen)
    } else {
        Ok((if delivery == Delivery::AtMostOnce { Sent::Queued } else { sent }, seq))
    }
}

/// Steps 3 to 6.
fn follow_up<H: Host>(host: &mut H, now: Timestamp) {
    drain(host, now);
    finish_turn(host, now);
}

/// Steps 5 and 6.
fn finish_turn<H: Host>(host: &mut H, now: Timestamp) {
    let new_deadline = host.with_driver(|driver| {
        let deadline = driver.client.poll_timeout().map_or(Timestamp::NEVER, |(at, _)| at);
        // An alarm that goes off early is harmless, and cheaper than arming another for every message. Only one for nothing must not stay.
        let is_new = deadline < driver.deadline || (deadline == Timestamp::NEVER && driver.deadline < deadline);
        if is_new {
            driver.deadline = deadline;
        }
        is_new.then_some(deadline)
    });
    if let Some(deadline) = new_deadline {
        host.set_alarm((deadline < Timestamp::NEVER).then(|| deadline.since(now).min(LONGEST_DELAY_MS)));
    }
    host.deliver();
}

/// Returns the highest number of this client's messages that the socket did not take; 0 if it took all.
fn drain<H: Host>(host: &mut H, now: Timestamp) -> u64 {
    let mut refused = 0;
    let mut buffered = None;
    let mut refused_by = None;
    let mut undelivered = Vec::new();
    // The latest message that was not sent and that nobody will acknowledge.
    let mut unsent = 0;
    loop {
        let input = match host.with_driver(|driver| driver.client.poll_output()) {
            Some(Output::Event(Event::Transmitted { seq })) if seq == unsent => continue,
            Some(Output::Event(event)) => {
                report(host, event);
                continue;
            }
            Some(Output::Transmit { socket, message, sequence }) => {
                let bytes = if refused_by.is_some() { None } else { host.transmit(socket, &message, sequence) };
                if let Some(bytes) = bytes {
                    buffered = Some(Input::Buffered { socket, bytes });
                } else {
                    refused_by.get_or_insert(socket);
                    if message.origin.is_none() {
                        refused = refused.max(message.seq);
                    }
                    unsent = if sequence.is_none() { message.seq } else { unsent };
                    undelivered.push(message);
                }
                continue;
            }
            Some(Output::CheckBuffer { socket }) => Input::Buffered { socket, bytes: host.buffered(socket) },
            Some(effect) => {
                perform(host, effect);
                continue;
            }
            None => match (refused_by.take(), buffered.take()) {
                (Some(socket), _) => Input::Undelivered { socket, messages: core::mem::take(&mut undelivered) },
                (None, Some(measured)) => measured,
                (None, None) => return refused,
            },
        };
        host.with_driver(|driver| driver.client.handle_input(input, now));
    }
}

fn perform<H: Host>(host: &mut H, effect: Output<H::Value>) {
    match effect {
        Output::Open { socket, token_refused } => host.open(socket, token_refused),
        Output::Ping { socket } => host.ping(socket),
        Output::Hello { socket, client_id, positions } => {
            let hello = wire::hello::<H::Value>(&client_id, positions.as_deref(), host.wall_clock_ms());
            // One that the socket does not take stays unanswered, which says all there is to say.
            _ = host.send(socket, &hello);
        }
        Output::Close { socket } => host.close(socket),
        Output::Abandon { socket } => host.abandon(socket),
        Output::Transmit { .. } | Output::CheckBuffer { .. } | Output::Event(_) => {}
    }
}

fn report<H: Host>(host: &mut H, event: Event<H::Value>) {
    match event {
        Event::Frame(frame) => host.frame(frame),
        Event::Opened => host.opened(),
        Event::Closed(close) => host.closed(close),
        Event::Reconnecting { attempt, delay_ms } => host.reconnecting(attempt, delay_ms),
        Event::GaveUp { attempts } => host.gave_up(attempts),
        Event::Transmitted { seq } => host.transmitted(seq),
        Event::Acknowledged { origin, seq } => host.acknowledged(origin, seq),
        Event::Refused { seq, data } => host.refused(seq, data),
        Event::Replied { seq, data } => host.replied(seq, data),
        Event::Receipt { seq, status } => host.receipt(seq, status),
        Event::RequestFailed { seq, failure } => host.request_failed(seq, failure),
        Event::Gap { stream, from, to } => host.gap(stream, from, to),
        Event::Violation(violation) => host.violation(violation),
        Event::Dropped { message, reason } => host.dropped(message, reason),
        Event::Changed { phase } => {
            if phase {
                follow_phase(host);
            }
            host.changed(phase);
        }
    }
}

/// A client that may still do something on its own is active.
fn follow_phase<H: Host>(host: &mut H) {
    let (is_active, is_new) = host.with_driver(|driver| {
        let is_active = !matches!(driver.client.snapshot().phase, Phase::Idle | Phase::LoggedOut | Phase::Fatal);
        (is_active, core::mem::replace(&mut driver.is_active, is_active) != is_active)
    });
    if is_new {
        host.set_active(is_active);
    }
}

/// Browsers fire longer timeouts at once (HTML, timers: the delay is a signed 32-bit integer).
const LONGEST_DELAY_MS: u64 = i32::MAX as u64;
