//! From the application to the socket: what is sent at once, what waits, and what is told about it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Timestamp;
use super::client::Client;
use super::config::{Overflow, Queue};
use super::io::{Event, Output, SocketId};
use super::message::{DropReason, Message, Purpose, Refusal, Refused, RequestFailure, Sent};
use super::requests::Requests;
use super::send_window::SendWindow;
use super::sessions::Sessions;
use super::snapshot::Delivery;
use super::state::State;
use super::time::FOREVER;
use super::wire::Value;

impl<V: Value> Client<V> {
    /// The number of the message that was accepted last.
    pub const fn latest_seq(&self) -> u64 {
        self.seq
    }

    /// Takes back a message that was not sent yet; false if it is too late.
    pub fn cancel(&mut self, seq: u64, now: Timestamp) -> bool {
        self.handle_timeout(now);
        let was_waiting = self.take_back(seq);
        self.handle_timeout(now);
        was_waiting
    }

    /// A message that [awaits storage](super::message::Policy::awaits_storage) is on disk, or cannot be.
    pub fn stored(&mut self, seq: u64, now: Timestamp) {
        for message in self.outbox.iter_mut() {
            if message.seq == seq && message.origin.is_none() {
                message.policy.awaits_storage = false;
            }
        }
        self.handle_timeout(now);
    }

    /// Takes over messages that previous client instances have left, in order; each names its origin and has its number. They are sent
    /// before anything else.
    pub fn restore(&mut self, mut messages: Vec<Box<Message<V::Text>>>, now: Timestamp) {
        while let Some(mut message) = messages.pop() {
            message.accepted_at = now;
            self.outbox.put_back(message, &self.config.queue, now);
        }
        // The previous client instance may have sent them, and this server cannot be asked.
        if matches!(&self.state, State::Open { send_window, .. } if !send_window.is_reliable()) {
            self.drop_unconfirmable();
        }
        self.handle_timeout(now);
    }

    /// Forgets every message and every position. A connection of the reliable mode is replaced, because the server counts on what
    /// is forgotten.
    pub fn forget(&mut self, now: Timestamp) {
        self.drop_each(&|_| Some(DropReason::Forgotten));
        self.incoming.forget();
        self.sessions = Sessions::default();
        (self.origin, self.last_acked) = (None, 0);
        match &self.state {
            State::Open { send_window, .. } if !send_window.is_reliable() => {}
            State::Open { .. } | State::Handshake { .. } => return self.reconnect(now),
            _ => {}
        }
        self.handle_timeout(now);
    }

    fn take_back(&mut self, seq: u64) -> bool {
        let mut was_waiting = false;
        for queue in [&mut self.outbox, &mut self.volatile] {
            let is_it = |message: &Message<V::Text>| message.seq == seq && message.origin.is_none();
            queue.extract(&|message| is_it(message).then_some(DropReason::Forgotten), &mut |message, _| {
                was_waiting = true;
                drop(message);
            });
        }
        // A message that was sent still waits for its reply.
        if was_waiting {
            self.requests.remove(seq);
        }
        was_waiting
    }

    pub(super) fn accept(
        &mut self,
        mut message: Box<Message<V::Text>>,
        now: Timestamp,
    ) -> Result<Sent, Refused<V::Text>> {
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
        let is_volatile = message.purpose == Purpose::Volatile;
        if is_volatile && !is_open {
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
                if is_volatile { (&mut self.volatile, &VOLATILE) } else { (&mut self.outbox, &self.config.queue) };
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
            State::Open { send_window, .. } => self.is_flowing(send_window),
            _ => self.outbox.has_room(self.max_message_bytes(), None, &self.config.queue),
        }
    }

    /// The size of the largest message that this client and the server of the latest connection take, in bytes.
    pub fn max_message_bytes(&self) -> u32 {
        let server = u32::try_from(self.server_max_bytes).unwrap_or(u32::MAX);
        self.config.max_message_bytes.min(server)
    }

    /// The server of the latest connection takes no larger frame. What waits and is larger is dropped.
    #[cfg(feature = "socketio")]
    pub fn limit_message_bytes(&mut self, max_bytes: u64, now: Timestamp) {
        self.server_max_bytes = max_bytes;
        self.drop_each(&|message| (u64::from(message.bytes) > max_bytes).then_some(DropReason::TooLarge));
        self.handle_timeout(now);
    }

    /// Whether one more message may be unacknowledged: what may be to blame for the end of a connection goes out alone.
    fn has_window(&self, send_window: &SendWindow) -> bool {
        let is_alone = self.in_flight.front().is_some_and(|head| self.suspicion.covers(head.seq));
        send_window.has_window() && !(is_alone && send_window.sent_here > 0)
    }

    fn can_transmit(&self, message: &Message<V::Text>) -> bool {
        let State::Open { send_window, .. } = &self.state else { return false };
        if message.purpose == Purpose::Volatile {
            return !send_window.is_blocked() && self.outbox.is_empty() && self.volatile.is_empty();
        }
        self.is_flowing(send_window) && !message.policy.awaits_storage
    }

    fn is_flowing(&self, send_window: &SendWindow) -> bool {
        let has_turn = || self.has_window(send_window) && self.origin.is_none();
        !send_window.is_blocked() && self.outbox.is_empty() && (!send_window.is_reliable() || has_turn())
    }

    /// Sends what may be sent: what the server lacks of the messages in flight, then what waits, then what is volatile.
    pub(super) fn pump(&mut self, now: Timestamp) {
        while let State::Open { socket, send_window, .. } = &self.state
            && !send_window.is_blocked()
        {
            let socket = *socket;
            let (is_reliable, has_window) = (send_window.is_reliable(), self.has_window(send_window));
            if is_reliable && send_window.sent_here < self.in_flight.len() {
                if !has_window {
                    return;
                }
                let message = self.in_flight.get(send_window.sent_here).cloned();
                message.into_iter().for_each(|message| self.transmit_numbered(message, now));
                continue;
            }
            match self.outbox.front() {
                Some(message) if message.policy.awaits_storage => return,
                Some(message) if is_reliable && message.origin != self.origin => {
                    if self.in_flight.is_empty() {
                        self.send_hello(socket, false);
                        self.expect_welcome(now);
                    }
                    return;
                }
                Some(_) if is_reliable && !has_window => return,
                Some(_) => {
                    if let Some(message) = self.outbox.pop() {
                        let (seq, is_own) = (message.seq, message.origin.is_none());
                        self.forward(message, now);
                        if is_own {
                            self.emit(Event::Transmitted { seq });
                        }
                    }
                }
                // Nothing of the previous client instance is left, so the connection turns to this client's own messages.
                None if is_reliable && self.origin.is_some() && self.in_flight.is_empty() => {
                    self.send_hello(socket, false);
                    self.expect_welcome(now);
                    return;
                }
                None => match self.volatile.pop() {
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
    pub(super) fn forward(&mut self, message: Box<Message<V::Text>>, now: Timestamp) {
        let State::Open { socket, send_window, .. } = &mut self.state else { return };
        if send_window.is_reliable() && message.purpose != Purpose::Volatile {
            if message.origin.is_none() {
                self.last_sent = message.seq;
            }
            self.in_flight.push_back(message.clone());
            self.transmit_numbered(message, now);
        } else {
            let socket = *socket;
            send_window.fill(message.bytes, &self.config.buffer, now);
            self.transmit(socket, message);
        }
    }

    fn transmit_numbered(&mut self, message: Box<Message<V::Text>>, now: Timestamp) {
        if let State::Open { socket, send_window, .. } = &mut self.state {
            let sequence = Some(send_window.number(message.seq, now + self.config.heartbeat.timeout_ms));
            send_window.fill(message.bytes, &self.config.buffer, now);
            self.outputs.push_back(Output::Transmit { socket: *socket, message, sequence });
        }
    }

    fn transmit(&mut self, socket: SocketId, mut message: Box<Message<V::Text>>) {
        message.displaced = match &message.purpose {
            Purpose::Join(session) => self.sessions.join(session.clone(), message.frame.clone()),
            Purpose::Leave(session) => self.sessions.leave(session),
            Purpose::Ordinary | Purpose::Volatile | Purpose::Rejoin(_) => None,
        };
        self.outputs.push_back(Output::Transmit { socket, message, sequence: None });
    }

    pub(super) fn rejoin(&mut self, socket: SocketId) {
        for (session, frame) in self.sessions.joined() {
            let message = Message::new(frame.clone(), 0, Purpose::Rejoin(session.clone()));
            self.outputs.push_back(Output::Transmit { socket, message, sequence: None });
        }
    }

    /// What the connection cannot keep ends with it.
    pub(super) fn drop_volatile(&mut self) {
        while let Some(message) = self.volatile.pop() {
            self.report_dropped(message, DropReason::NotOpen);
        }
    }

    /// Gives up on what only a server of the reliable mode could take.
    pub(super) fn drop_unconfirmable(&mut self) {
        let sent = self.last_sent;
        self.drop_each(&|message| {
            if message.origin.is_some() || message.seq <= sent {
                Some(DropReason::Unconfirmed)
            } else {
                message.policy.reply_within_ms.map(|_| DropReason::Unsupported)
            }
        });
    }

    /// Gives up on every message for which `fate` knows a reason.
    pub(super) fn drop_each(&mut self, fate: &dyn Fn(&Message<V::Text>) -> Option<DropReason>) {
        for _ in 0..self.in_flight.len() {
            if let Some(message) = self.in_flight.pop_front() {
                match fate(&message) {
                    Some(reason) => self.report_dropped(message, reason),
                    None => self.in_flight.push_back(message),
                }
            }
        }
        for queue in [&mut self.outbox, &mut self.volatile] {
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

    pub(super) fn report_dropped(&mut self, message: Box<Message<V::Text>>, reason: DropReason) {
        let output = dropped(message, reason, &mut self.requests);
        self.outputs.push_back(output);
    }
}

/// The event that a message will not be sent, and so a request has no reply.
fn dropped<V: Value>(message: Box<Message<V::Text>>, reason: DropReason, requests: &mut Requests) -> Output<V> {
    if message.origin.is_none() {
        requests.remove(message.seq);
    }
    Output::Event(Event::Dropped { message, reason })
}

/// Queue limits for volatile messages held back by a full socket buffer, which end with their connection.
const VOLATILE: Queue = Queue { max_messages: 64, max_bytes: 1 << 16, ttl_ms: FOREVER, overflow: Overflow::DropOldest };
