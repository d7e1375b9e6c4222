//! From the application to the socket: what is sent at once, what waits, and what is told about it.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::Timestamp;
use super::client::Client;
use super::config::{Overflow, Queue};
use super::io::{
    DropReason, Event, Inbound, Message, Output, Purpose, Refusal, Refused, RequestFailure, Sent, SocketId,
};
use super::link::Link;
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
        let waited = self.outbox.remove(seq).or_else(|| self.ephemeral.remove(seq)).is_some();
        if waited {
            self.requests.remove(seq);
        }
        self.settle(now);
        waited
    }

    /// A message that [awaits storage](super::io::Policy::awaits_storage) is on disk, or cannot be.
    pub fn stored(&mut self, seq: u64, now: Timestamp) {
        if let Some(message) = self.outbox.find(seq) {
            message.policy.awaits_storage = false;
        }
        self.settle(now);
    }

    /// Takes over messages that earlier pages have left, in order; each names its sender and has its number. They are sent
    /// before anything else.
    pub fn restore(&mut self, messages: Vec<Box<Message<M>>>, now: Timestamp) {
        self.outbox.restore(messages, now);
        // The earlier page may have sent them, and this server cannot be asked.
        if matches!(&self.state, State::Open { link, .. } if !link.is_reliable()) {
            self.drop_unconfirmable();
        }
        self.settle(now);
    }

    /// Forgets every message and every position. The client needs a new client id then.
    pub fn forget(&mut self, now: Timestamp) {
        let mut forgotten = Vec::new();
        forgotten.extend(core::mem::take(&mut self.in_flight));
        while let Some(message) = self.outbox.pop().or_else(|| self.ephemeral.pop()) {
            forgotten.push(message);
        }
        self.report_dropped(forgotten, DropReason::Forgotten);
        self.incoming.forget();
        (self.sender, self.sent, self.acked) = (None, 0, 0);
        self.settle(now);
    }

    pub(super) fn accept(&mut self, mut message: Box<Message<M>>, now: Timestamp) -> Result<Sent, Refused<M>> {
        let max = self.config.max_message_bytes;
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
        let sent = if self.can_transmit(&message) {
            self.forward(message, now);
            Sent::Now
        } else {
            self.expire_messages(now);
            let (queue, bounds) =
                if is_ephemeral { (&mut self.ephemeral, &EPHEMERAL) } else { (&mut self.outbox, &self.config.queue) };
            match queue.push(message, bounds, now) {
                Ok(displaced) => {
                    self.report_dropped(displaced.replaced.into_iter().collect(), DropReason::Replaced);
                    self.report_dropped(displaced.dropped, DropReason::Overflow);
                    Sent::Queued
                }
                Err(mut refused) => {
                    refused.message.seq = 0;
                    if self.config.queue.overflow == Overflow::DropNewest {
                        self.report_dropped(vec![refused.message.clone()], DropReason::Overflow);
                    }
                    return Err(refused);
                }
            }
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
            _ => self.outbox.has_room(self.config.max_message_bytes, None, &self.config.queue),
        }
    }

    fn can_transmit(&self, message: &Message<M>) -> bool {
        let State::Open { link, .. } = &self.state else { return false };
        if message.purpose == Purpose::Ephemeral {
            return !link.is_blocked() && self.outbox.is_empty() && self.ephemeral.is_empty();
        }
        self.is_flowing(link) && !message.policy.awaits_storage
    }

    fn is_flowing(&self, link: &Link) -> bool {
        let has_turn = || link.has_window() && link.sent == self.in_flight.len() && self.sender.is_none();
        !link.is_blocked() && self.outbox.is_empty() && (!link.is_reliable() || has_turn())
    }

    /// Sends what may be sent: what the server lacks of the messages in flight, then what waits, then what is worthless later.
    pub(super) fn pump(&mut self, now: Timestamp) {
        while let State::Open { socket, link, .. } = &mut self.state
            && !link.is_blocked()
        {
            let socket = *socket;
            if link.is_reliable() && link.sent < self.in_flight.len() {
                if !link.has_window() {
                    return;
                }
                let message = self.in_flight.get(link.sent).cloned();
                message.into_iter().for_each(|message| self.transmit_numbered(message, now));
                continue;
            }
            let (is_reliable, has_window) = (link.is_reliable(), link.has_window());
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
            self.report_dropped(vec![message], DropReason::Ephemeral);
        }
    }

    /// Gives up on what only a server of the reliable mode could take.
    pub(super) fn drop_unconfirmable(&mut self) {
        let unconfirmed: Vec<_> = core::mem::take(&mut self.in_flight).into();
        self.report_dropped(unconfirmed, DropReason::Unconfirmed);
        let earlier = self.outbox.extract(&|message| message.sender.is_some());
        self.report_dropped(earlier, DropReason::Unconfirmed);
        let requests = self.outbox.extract(&|message| message.policy.reply_within_ms.is_some());
        self.report_dropped(requests, DropReason::Unsupported);
    }

    /// Fails the requests whose time is over at `now`.
    pub(super) fn fail_requests(&mut self, now: Timestamp, failure: RequestFailure) {
        while let Some(seq) = self.requests.expire(now) {
            self.outbox.remove(seq);
            self.emit(Event::RequestFailed { seq, failure });
        }
    }

    pub(super) fn report_dropped(&mut self, messages: Vec<Box<Message<M>>>, reason: DropReason) {
        for message in messages {
            if message.sender.is_none() {
                self.requests.remove(message.seq);
            }
            self.emit(Event::Dropped { message, reason });
        }
    }
}

/// What waits although it is worthless later: only while the connection is open and its buffer full.
const EPHEMERAL: Queue =
    Queue { max_messages: 64, max_bytes: 1 << 16, ttl_ms: FOREVER, overflow: Overflow::DropOldest };
