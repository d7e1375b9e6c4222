//! From the application to the socket: what is sent at once, what waits, and what is told about it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Timestamp;
use super::client::Client;
use super::config::{Overflow, Queue};
use super::io::{Event, Inbound, Output, SocketId};
use super::link::Link;
use super::message::{DropReason, Message, Purpose, Refusal, Refused, RequestFailure, Sent};
use super::requests::Requests;
use super::sessions::Sessions;
use super::snapshot::Delivery;
use super::state::State;
use super::time::FOREVER;

impl<M: Clone + PartialEq, P: Inbound> Client<M, P> {
    /// The number of the message that was accepted last.
    pub const fn latest_seq(&self) -> u64 {
        self.seq
    }

    /// Takes back a message that was not sent yet; false if it is too late.
    pub fn cancel(&mut self, seq: u64, now: Timestamp) -> bool {
        self.settle(now);
        let was_waiting = self.take_back(seq);
        self.settle(now);
        was_waiting
    }

    /// A message that [awaits storage](super::message::Policy::awaits_storage) is on disk, or cannot be.
    pub fn stored(&mut self, seq: u64, now: Timestamp) {
        for message in self.outbox.iter_mut() {
            if message.seq == seq && message.sender.is_none() {
                message.policy.awaits_storage = false;
            }
        }
        self.settle(now);
    }

    /// Takes over messages that earlier pages have left, in order; each names its sender and has its number. They are sent
    /// before anything else.
    pub fn restore(&mut self, mut messages: Vec<Box<Message<M>>>, now: Timestamp) {
        while let Some(mut message) = messages.pop() {
            message.accepted_at = now;
            self.outbox.put_back(message, &self.config.queue, now);
        }
        // The earlier page may have sent them, and this server cannot be asked.
        if matches!(&self.state, State::Open { link, .. } if !link.is_reliable()) {
            self.drop_unconfirmable();
        }
        self.settle(now);
    }

    /// Forgets every message and every position. A connection of the reliable mode is replaced, because the server counts on what
    /// is forgotten.
    pub fn forget(&mut self, now: Timestamp) {
        self.drop_each(&|_| Some(DropReason::Forgotten));
        self.incoming.forget();
        self.sessions = Sessions::default();
        (self.sender, self.acked) = (None, 0);
        match &self.state {
            State::Open { link, .. } if !link.is_reliable() => {}
            State::Open { .. } | State::Greeting { .. } => return self.reconnect(now),
            _ => {}
        }
        self.settle(now);
    }

    fn take_back(&mut self, seq: u64) -> bool {
        let mut was_waiting = false;
        for queue in [&mut self.outbox, &mut self.ephemeral] {
            let is_it = |message: &Message<M>| message.seq == seq && message.sender.is_none();
            queue.extract(&|message| is_it(message).then_some(DropReason::Forgotten), &mut |message, _| {
                was_waiting = true;
                self.outputs.push_back(Output::Release { frame: message.frame, is_done: false });
            });
        }
        // A message that was sent still waits for its reply.
        if was_waiting {
            self.requests.remove(seq);
        }
        was_waiting
    }

    pub(super) fn accept(&mut self, mut message: Box<Message<M>>, now: Timestamp) -> Result<Sent, Refused<M>> {
        let max = self.max_message_bytes();
        if message.bytes > max {
            let refusal = Refusal::TooLarge { bytes: message.bytes, max };
            return Err(Refused { message, refusal });
        }
        if let Purpose::Join(session) = &message.purpose
            && self.sessions.is_full_for(session)
        {
            return Err(Refused { message, refusal: Refusal::TooManySessions });
        }
        let is_open = matches!(self.state, State::Open { .. });
        let is_ephemeral = message.purpose == Purpose::Ephemeral;
        if is_ephemeral && !is_open {
            return Err(Refused { message, refusal: Refusal::NotOpen });
        }
        let reply_by = message.policy.reply_within_ms.map(|wait| now + wait);
        if reply_by.is_some() && (self.delivery == Delivery::AtMostOnce || self.requests.is_full()) {
            let refusal = if self.requests.is_full() { Refusal::QueueFull } else { Refusal::Unsupported };
            return Err(Refused { message, refusal });
        }
        message.seq = self.seq + 1;
        message.accepted_at = now;
        let sent = if self.can_transmit(&message) {
            self.forward(message, now);
            Sent::Now
        } else {
            self.expire_messages(now);
            let (queue, bounds) =
                if is_ephemeral { (&mut self.ephemeral, &EPHEMERAL) } else { (&mut self.outbox, &self.config.queue) };
            let (outputs, requests) = (&mut self.outputs, &mut self.requests);
            let pushed = queue.push(message, bounds, now, &mut |message, reason| {
                outputs.push_back(dropped(message, reason, requests));
            });
            if let Err(mut refused) = pushed {
                refused.message.seq = 0;
                if self.config.queue.overflow == Overflow::DropNewest {
                    self.report_dropped(refused.message.clone(), DropReason::Overflow);
                }
                return Err(refused);
            }
            Sent::Queued
        };
        self.seq += 1;
        if let Some(until) = reply_by {
            self.requests.push(self.seq, until);
        }
        Ok(sent)
    }

    /// Whether a new message would be sent at once, or queued while there is no connection.
    pub(super) fn has_room(&self) -> bool {
        match &self.state {
            State::Open { link, .. } => self.is_flowing(link),
            _ => self.outbox.has_room(self.max_message_bytes(), None, &self.config.queue),
        }
    }

    /// What this client and the server of the latest connection allow.
    fn max_message_bytes(&self) -> u32 {
        let server = u32::try_from(self.server_max_bytes).unwrap_or(u32::MAX);
        self.config.max_message_bytes.min(server)
    }

    /// Whether one more message may be unacknowledged: what may be to blame for the end of a connection goes out alone.
    fn has_window(&self, link: &Link) -> bool {
        let is_alone = self.in_flight.front().is_some_and(|head| self.suspicion.covers(head.seq));
        link.has_window() && !(is_alone && link.sent > 0)
    }

    fn can_transmit(&self, message: &Message<M>) -> bool {
        let State::Open { link, .. } = &self.state else { return false };
        if message.purpose == Purpose::Ephemeral {
            return !link.is_blocked() && self.outbox.is_empty() && self.ephemeral.is_empty();
        }
        self.is_flowing(link) && !message.policy.awaits_storage
    }

    fn is_flowing(&self, link: &Link) -> bool {
        let has_turn = || self.has_window(link) && self.sender.is_none();
        !link.is_blocked() && self.outbox.is_empty() && (!link.is_reliable() || has_turn())
    }

    /// Sends what may be sent: what the server lacks of the messages in flight, then what waits, then what is worthless later.
    pub(super) fn pump(&mut self, now: Timestamp) {
        while let State::Open { socket, link, .. } = &self.state
            && !link.is_blocked()
        {
            let socket = *socket;
            let (is_reliable, has_window) = (link.is_reliable(), self.has_window(link));
            if is_reliable && link.sent < self.in_flight.len() {
                if !has_window {
                    return;
                }
                let message = self.in_flight.get(link.sent).cloned();
                message.into_iter().for_each(|message| self.transmit_numbered(message, now));
                continue;
            }
            match self.outbox.front() {
                Some(message) if message.policy.awaits_storage => return,
                Some(message) if is_reliable && message.sender != self.sender => {
                    if self.in_flight.is_empty() {
                        self.say_hello(socket, false);
                        self.expect_welcome(now);
                    }
                    return;
                }
                Some(_) if is_reliable && !has_window => return,
                Some(_) => {
                    if let Some(message) = self.outbox.pop() {
                        let (seq, is_own) = (message.seq, message.sender.is_none());
                        self.forward(message, now);
                        if is_own {
                            self.emit(Event::Transmitted { seq });
                        }
                    }
                }
                // Nothing of the earlier page is left, so the connection turns to this client's own messages.
                None if is_reliable && self.sender.is_some() && self.in_flight.is_empty() => {
                    self.say_hello(socket, false);
                    self.expect_welcome(now);
                    return;
                }
                None => match self.ephemeral.pop() {
                    Some(message) => {
                        let seq = message.seq;
                        self.forward(message, now);
                        self.emit(Event::Transmitted { seq });
                    }
                    None => return,
                },
            }
        }
    }

    /// Sends a message for the first time, keeping it until it is acknowledged if the server acknowledges anything.
    pub(super) fn forward(&mut self, message: Box<Message<M>>, now: Timestamp) {
        let State::Open { socket, link, .. } = &mut self.state else { return };
        if link.is_reliable() && message.purpose != Purpose::Ephemeral {
            if message.sender.is_none() {
                self.sent = message.seq;
            }
            self.in_flight.push_back(message.clone());
            self.transmit_numbered(message, now);
        } else {
            let socket = *socket;
            link.fill(message.bytes, &self.config.buffer, now);
            self.transmit(socket, message);
        }
    }

    fn transmit_numbered(&mut self, message: Box<Message<M>>, now: Timestamp) {
        if let State::Open { socket, link, .. } = &mut self.state {
            let numbers = Some(link.number(message.seq, now + self.config.heartbeat.timeout_ms));
            link.fill(message.bytes, &self.config.buffer, now);
            self.outputs.push_back(Output::Transmit { socket: *socket, message, numbers });
        }
    }

    fn transmit(&mut self, socket: SocketId, message: Box<Message<M>>) {
        match &message.purpose {
            Purpose::Join(session) => self.sessions.join(session.clone(), message.frame.clone()),
            Purpose::Leave(session) => self.sessions.leave(session),
            Purpose::Ordinary | Purpose::Ephemeral | Purpose::Rejoin(_) => {}
        }
        self.outputs.push_back(Output::Transmit { socket, message, numbers: None });
    }

    pub(super) fn rejoin(&mut self, socket: SocketId) {
        for (session, frame) in self.sessions.joined() {
            let message = Message::new(frame.clone(), 0, Purpose::Rejoin(session.clone()));
            self.outputs.push_back(Output::Transmit { socket, message, numbers: None });
        }
    }

    /// What the connection cannot keep ends with it.
    pub(super) fn drop_ephemeral(&mut self) {
        while let Some(message) = self.ephemeral.pop() {
            self.report_dropped(message, DropReason::Ephemeral);
        }
    }

    /// Gives up on what only a server of the reliable mode could take.
    pub(super) fn drop_unconfirmable(&mut self) {
        let sent = self.sent;
        self.drop_each(&|message| {
            if message.sender.is_some() || message.seq <= sent {
                Some(DropReason::Unconfirmed)
            } else {
                message.policy.reply_within_ms.map(|_| DropReason::Unsupported)
            }
        });
    }

    /// Gives up on every message for which `fate` knows a reason.
    pub(super) fn drop_each(&mut self, fate: &dyn Fn(&Message<M>) -> Option<DropReason>) {
        for _ in 0..self.in_flight.len() {
            if let Some(message) = self.in_flight.pop_front() {
                match fate(&message) {
                    Some(reason) => self.report_dropped(message, reason),
                    None => self.in_flight.push_back(message),
                }
            }
        }
        for queue in [&mut self.outbox, &mut self.ephemeral] {
            queue.extract(fate, &mut |message, reason| {
                self.outputs.push_back(dropped(message, reason, &mut self.requests));
            });
        }
    }

    pub(super) fn expire_messages(&mut self, now: Timestamp) {
        self.outbox.expire(now, &mut |message, reason| {
            self.outputs.push_back(dropped(message, reason, &mut self.requests));
        });
    }

    /// Fails the requests whose time is over at `now`.
    pub(super) fn fail_requests(&mut self, now: Timestamp, failure: RequestFailure) {
        while let Some(seq) = self.requests.expire(now) {
            self.take_back(seq);
            self.emit(Event::RequestFailed { seq, failure });
        }
    }

    pub(super) fn report_dropped(&mut self, message: Box<Message<M>>, reason: DropReason) {
        let output = dropped(message, reason, &mut self.requests);
        self.outputs.push_back(output);
    }
}

/// The news that a message will not be sent, and so a request has no reply.
fn dropped<M, P>(message: Box<Message<M>>, reason: DropReason, requests: &mut Requests) -> Output<M, P> {
    if message.sender.is_none() {
        requests.remove(message.seq);
    }
    Output::Event(Event::Dropped { message, reason })
}

/// What waits although it is worthless later: only while the connection is open and its buffer full.
const EPHEMERAL: Queue =
    Queue { max_messages: 64, max_bytes: 1 << 16, ttl_ms: FOREVER, overflow: Overflow::DropOldest };
