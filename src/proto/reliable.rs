//! The reliable mode (docs/PROTOCOL.md): hello and welcome, acknowledgements, streams, and what is not believed.

use super::Timestamp;
use super::client::Client;
use super::close::Cause;
use super::heartbeat::Heartbeat;
use super::incoming::{Arrival, Told};
use super::io::{Event, Inbound, News, Output, Place, SocketId, Violation};
use super::link::Link;
use super::message::{DropReason, Message, Purpose};
use super::snapshot::Delivery;
use super::state::State;
use super::suspicion::Suspicion;
use super::time::FOREVER;

impl<M: Clone + PartialEq, P: Inbound> Client<M, P> {
    /// The position in each stream, by the stream's number: what a hello names.
    pub fn positions(&self) -> impl Iterator<Item = (u32, u64)> {
        self.incoming.positions()
    }

    /// The welcome that follows says that this connection carries a stream, by its number, from this position.
    pub fn announce_position(&mut self, stream: u32, offset: u64) {
        self.incoming.announce(stream, offset);
    }

    /// How many messages are sent and not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(super) fn greet(&mut self, socket: SocketId, timeout_at: Timestamp, now: Timestamp) {
        self.recent_violations = 0;
        let heartbeat = Heartbeat::greeting(&self.config.heartbeat, now);
        self.state = State::Greeting { socket, timeout_at, heartbeat };
        self.say_hello(socket, true);
        self.outputs.push_back(Output::Ping { socket });
    }

    /// Names the sender of the messages that come next.
    pub(super) fn say_hello(&mut self, socket: SocketId, resumes: bool) {
        let next = self.in_flight.front().map(|message| &**message).or_else(|| self.outbox.front());
        let sender = next.and_then(|message| message.sender.clone());
        if sender != self.sender {
            (self.sender, self.suspicion) = (sender, Suspicion::default());
        }
        self.incoming.withdraw();
        self.outputs.push_back(Output::Hello { socket, sender: self.sender.clone(), resumes });
    }

    pub(super) fn expect_welcome(&mut self, now: Timestamp) {
        if let State::Open { link, .. } = &mut self.state {
            link.welcome_by = now + self.config.heartbeat.timeout_ms;
        }
    }

    /// The server has shown that it does not know the reliable mode.
    pub(super) fn settle_for_less(&mut self, now: Timestamp) {
        if let State::Greeting { socket, heartbeat, .. } = &self.state {
            let (socket, heartbeat) = (*socket, heartbeat.clone());
            self.delivery = Delivery::AtMostOnce;
            self.server_max_bytes = FOREVER;
            self.drop_unconfirmable();
            self.begin(socket, heartbeat, Link::at_most_once(), now);
        }
    }

    pub(super) fn begin(&mut self, socket: SocketId, heartbeat: Heartbeat, link: Link, now: Timestamp) {
        self.state = State::Open { socket, opened_at: now, heartbeat, link };
        self.rejoin(socket);
        self.pump(now);
        self.emit(Event::Opened);
    }

    /// What a frame means beside its payload. Says whether the application gets it.
    pub(super) fn consider(&mut self, news: News, place: Option<Place>, now: Timestamp) -> bool {
        if !self.config.reliable {
            return true;
        }
        match (news, &self.state) {
            // What the next connection brings again.
            (News::Welcome { .. } | News::HelloRefused, State::Closing { .. }) => return false,
            (_, State::Closing { .. }) if place.is_some() => return false,
            (News::Welcome { .. }, _) => {
                self.welcome(news, now);
                return false;
            }
            (News::HelloRefused, State::Greeting { .. }) => {
                self.settle_for_less(now);
                return false;
            }
            (News::Pong, State::Greeting { .. }) => self.settle_for_less(now),
            // It comes again after the welcome.
            (_, State::Greeting { .. }) if place.is_some() => return false,
            _ => {}
        }
        if let Some(place) = place {
            match self.incoming.arrive(place) {
                // Without a position, an event is delivered at most once.
                Arrival::Next | Arrival::Untracked => {}
                Arrival::Repeated => {
                    self.doubt(Violation::Repetition, now);
                    return false;
                }
                Arrival::Early => {
                    if let Some(socket) = self.socket() {
                        self.lose(socket, Cause::EventLost, now);
                    }
                    return false;
                }
            }
        }
        // Those about an earlier page's messages have nobody who waits for them.
        let is_answer = matches!(news, News::Refused { .. } | News::Reply { .. } | News::Receipt { .. });
        if is_answer && place.is_none() && !self.speaks_of_own {
            return false;
        }
        let doubt = match news {
            News::Malformed => Some(Violation::Malformed),
            News::Ack { seq } => {
                self.acknowledgement(seq, now);
                return false;
            }
            News::Refused { seq } | News::Reply { seq } | News::Receipt { seq } if seq > self.sent => {
                Some(Violation::NeverSent)
            }
            News::Refused { seq } => {
                self.requests.remove(seq);
                None
            }
            News::Reply { seq } => {
                self.note_life(now);
                (!self.requests.remove(seq)).then_some(Violation::UnexpectedReply)
            }
            News::Event | News::Pong | News::Receipt { .. } | News::Welcome { .. } | News::HelloRefused => None,
        };
        if let Some(doubt) = doubt {
            self.doubt(doubt, now);
        }
        doubt.is_none()
    }

    fn welcome(&mut self, welcome: News, now: Timestamp) {
        let News::Welcome { epoch, last, window, max_bytes, remember_ms } = welcome else { return };
        let (socket, first) = match &self.state {
            State::Greeting { socket, heartbeat, .. } => (*socket, Some(heartbeat.clone())),
            State::Open { socket, link, .. } if link.welcome_by < Timestamp::NEVER => (*socket, None),
            _ => return self.doubt(Violation::UnexpectedWelcome, now),
        };
        let is_own = self.sender.is_none();
        let disbelief = if epoch < self.incoming.epoch {
            Some(Violation::OldEpoch)
        } else if is_own && last > self.sent {
            Some(Violation::NeverSent)
        } else {
            None
        };
        if let Some(disbelief) = disbelief {
            self.doubt(disbelief, now);
            return self.lose(socket, Cause::Disbelief, now);
        }
        if epoch > self.incoming.epoch {
            if self.incoming.epoch > 0 {
                self.incoming.start_over();
                self.acked = 0;
            }
            self.incoming.epoch = epoch;
        }
        // A server that knows of no message may have forgotten this client id, if it forgets at all.
        let forgets_after_ms = if last == 0 { remember_ms } else { FOREVER };
        let is_forgotten = is_own && forgets_after_ms < FOREVER && self.acked > 0;
        if is_forgotten {
            self.acked = 0;
        } else if is_own && last < self.acked {
            self.doubt(Violation::Backwards, now);
        }
        self.delivery = Delivery::Reliable;
        self.speaks_of_own = is_own;
        self.server_max_bytes = max_bytes;
        self.take_positions();
        self.acknowledge(last);
        self.drop_unsendable(is_forgotten, forgets_after_ms, now);
        let link = Link::reliable(window.clamp(1, LARGEST_WINDOW), last);
        match first {
            Some(heartbeat) => self.begin(socket, heartbeat, link, now),
            None => {
                if let State::Open { link: current, .. } = &mut self.state {
                    current.turn_to(link);
                }
            }
        }
    }

    fn acknowledgement(&mut self, seq: u64, now: Timestamp) {
        let State::Open { link, .. } = &mut self.state else { return };
        if seq > link.prev || seq < link.acked {
            let doubt = if seq > link.prev { Violation::NeverSent } else { Violation::Backwards };
            return self.doubt(doubt, now);
        }
        if seq > link.acked {
            link.acked = seq;
            let before = self.in_flight.len();
            self.acknowledge(seq);
            let done = before - self.in_flight.len();
            if let State::Open { link, .. } = &mut self.state {
                link.sent = link.sent.saturating_sub(done);
            }
        }
        self.note_life(now);
    }

    /// The server has answered something of this connection, so it hears and works.
    fn note_life(&mut self, now: Timestamp) {
        if let State::Open { link, heartbeat, .. } = &mut self.state {
            link.note_progress(now + self.config.heartbeat.timeout_ms);
            heartbeat.note_life(&self.config.heartbeat, now);
        }
    }

    /// Everything of the current sender up to `seq` is processed.
    fn acknowledge(&mut self, seq: u64) {
        while let Some(message) = self.in_flight.pop_front_if(|message| message.seq <= seq) {
            let Message { frame, purpose, .. } = *message;
            match purpose {
                Purpose::Join(session) => self.sessions.join(session, frame.clone()),
                Purpose::Leave(session) => self.sessions.leave(&session),
                Purpose::Ordinary | Purpose::Ephemeral | Purpose::Rejoin(_) => {}
            }
            self.outputs.push_back(Output::Release { frame, is_done: true });
        }
        if self.sender.is_none() {
            self.acked = self.acked.max(seq);
        } else {
            // An earlier page may have sent them and not lived to see this.
            while self.outbox.front().is_some_and(|message| message.seq <= seq && message.sender == self.sender) {
                if let Some(message) = self.outbox.pop() {
                    self.outputs.push_back(Output::Release { frame: message.frame, is_done: true });
                }
            }
        }
        if seq > 0 {
            self.emit(Event::Acknowledged { sender: self.sender.clone(), seq });
        }
    }

    pub(super) fn position(&mut self, stream: u32, told: Told) {
        if let Told::Missing(from, to) = told {
            self.emit(Event::Gap { stream, from, to });
        }
    }

    /// A welcome names every stream that the connection carries.
    fn take_positions(&mut self) {
        for stream in 0..self.incoming.count() {
            let told = self.incoming.confirm(stream);
            self.position(stream, told);
        }
    }

    /// Gives up on what is larger than the server takes, and on what may have been processed by a server that has had the time to forget
    /// it: by the age of the message, because the server may have lost the connection long before the client. `is_forgotten` says that
    /// it has forgotten this client's own for sure.
    fn drop_unsendable(&mut self, is_forgotten: bool, forgets_after_ms: u64, now: Timestamp) {
        let (max, sent, sender) = (self.server_max_bytes, self.sent, self.sender.clone());
        self.drop_each(&|message| {
            let is_own = message.sender.is_none();
            // What another page has left may still turn out to be processed.
            if (!is_own && message.sender != sender) || message.purpose == Purpose::Ephemeral {
                return None;
            }
            let was_sent = !is_own || message.seq <= sent;
            let is_unknowable = was_sent && (is_forgotten || message.age_at(now) > forgets_after_ms);
            if u64::from(message.bytes) > max {
                Some(DropReason::TooLarge)
            } else {
                is_unknowable.then_some(DropReason::OutcomeUnknown)
            }
        });
    }

    /// Does what is due at `now` on an open connection.
    pub(super) fn settle_link(&mut self, now: Timestamp) {
        let State::Open { socket, link, .. } = &mut self.state else { return };
        let socket = *socket;
        if link.check_is_due(now) {
            self.outputs.push_back(Output::CheckBuffer { socket });
        }
        let overdue = link.ack_by.min(link.welcome_by);
        if now < overdue {
            return;
        }
        // A page that was suspended runs its timers before it sees the acknowledgement that has long arrived.
        if now.since(overdue) >= LATE_MS && !link.is_patience_spent {
            link.is_patience_spent = true;
            let patience = now + PROBE_MS;
            for deadline in [&mut link.ack_by, &mut link.welcome_by] {
                *deadline = if *deadline < Timestamp::NEVER { patience } else { Timestamp::NEVER };
            }
        } else {
            self.lose(socket, Cause::AckTimeout, now);
        }
    }

    /// The server broke the protocol: counted, told a few times, and too often is too much.
    pub(super) fn doubt(&mut self, violation: Violation, now: Timestamp) {
        self.violations = self.violations.saturating_add(1);
        self.recent_violations += 1;
        if self.recent_violations <= TOLD_VIOLATIONS {
            self.emit(Event::Violation(violation));
        }
        if self.recent_violations > BORNE_VIOLATIONS
            && let State::Greeting { socket, .. } | State::Open { socket, .. } = self.state
        {
            self.lose(socket, Cause::Disbelief, now);
        }
    }
}

/// The largest window that a server can give.
const LARGEST_WINDOW: u32 = 1_024;
/// How many violations of one connection are reported.
const TOLD_VIOLATIONS: u32 = 10;
/// How many violations of one connection are borne.
const BORNE_VIOLATIONS: u32 = 100;
/// How late a deadline has to be noticed to conclude that the page itself was suspended, in milliseconds.
const LATE_MS: u64 = 1_000;
/// How long to wait on for what may have arrived meanwhile, in milliseconds.
const PROBE_MS: u64 = 2_000;
