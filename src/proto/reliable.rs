//! The reliable mode (docs/PROTOCOL.md): hello and welcome, acknowledgements, streams, and protocol violations.

use super::Timestamp;
use super::client::Client;
use super::close::Cause;
use super::heartbeat::Heartbeat;
use super::incoming::{EventOrder, PositionUpdate};
use super::io::{Event, Output, ProtocolViolation, SocketId};
use super::message::{DropReason, Message, Purpose};
use super::send_window::SendWindow;
use super::snapshot::Delivery;
use super::state::{Answer, State};
use super::suspicion::Suspicion;
use super::time::FOREVER;
use super::transitions::CLOSE_TIMEOUT_MS;
use super::wire::{self, Field, Frame, FrameKind, StreamOffset, Text, Value, Welcome};

impl<V: Value> Client<V> {
    /// The position in each stream: what a hello names.
    pub fn positions(&self) -> impl Iterator<Item = (&V::Text, u64)> {
        self.incoming.positions()
    }

    /// What names this client to servers of the reliable mode.
    pub const fn client_id(&self) -> &V::Text {
        &self.client_id
    }

    /// How many messages are sent and not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(super) fn start_handshake(&mut self, socket: SocketId, timeout_at: Timestamp, now: Timestamp) {
        self.recent_violations = 0;
        let heartbeat = Heartbeat::for_handshake(&self.config.heartbeat, now);
        let timeout_at = if self.is_presumed_plain() { timeout_at.min(now + PROBE_MS) } else { timeout_at };
        self.state = State::Handshake { socket, opened_at: now, timeout_at, heartbeat, answer: Answer::Awaited };
        self.send_hello(socket, true);
        self.outputs.push_back(Output::Ping { socket });
    }

    /// Names the origin of the messages that come next. A connection begins with the client's own id where answers to it may be waiting: only so they come.
    pub(super) fn send_hello(&mut self, socket: SocketId, resumes: bool) {
        let may_have_answers = resumes && self.incoming.epoch > 0;
        let in_outbox = || if may_have_answers { None } else { self.outbox.front() };
        let next = self.in_flight.front().map(|message| &**message).or_else(in_outbox);
        let origin = next.and_then(|message| message.origin.clone());
        if origin != self.origin {
            (self.origin, self.suspicion) = (origin, Suspicion::default());
        }
        let client_id = self.origin.as_ref().unwrap_or(&self.client_id).clone();
        let positions = resumes.then(|| self.positions().map(|(stream, at)| (stream.clone(), at)).collect());
        self.outputs.push_back(Output::Hello { socket, client_id, positions });
    }

    pub(super) fn expect_welcome(&mut self, now: Timestamp) {
        if let State::Open { send_window, .. } = &mut self.state {
            send_window.welcome_by = now + self.config.heartbeat.timeout_ms;
        }
    }

    /// Whether the server has shown by its silence that it does not know the reliable mode.
    const fn is_presumed_plain(&self) -> bool {
        self.silences >= SILENCES_OF_PLAIN_SERVERS
    }

    /// The time for the answer to the hello is over.
    pub(super) fn handle_silence(&mut self, now: Timestamp) {
        let is_presumed_plain = self.is_presumed_plain();
        // A server that was reliable a moment ago is ill, not plain.
        let may_be_plain = self.delivery != Delivery::Reliable;
        let State::Handshake { socket, opened_at, timeout_at, heartbeat, answer } = &mut self.state else { return };
        let socket = *socket;
        if *answer != Answer::Awaited {
            return self.lose(socket, Cause::NoWelcome, now);
        }
        if is_presumed_plain {
            *heartbeat = Heartbeat::new(&self.config.heartbeat, now);
            return self.downgrade_to_at_most_once(now);
        }
        // A socket that opened late leaves no time to answer.
        let had_time = now.since(*opened_at) >= self.config.connect_timeout_ms / 2;
        if !may_be_plain || !had_time {
            return self.lose(socket, Cause::NoWelcome, now);
        }
        (*answer, *timeout_at) = (Answer::Missing, now + CLOSE_TIMEOUT_MS);
        self.outputs.push_back(Output::Close { socket });
    }

    /// The server has shown that it does not know the reliable mode.
    pub(super) fn downgrade_to_at_most_once(&mut self, now: Timestamp) {
        if let State::Handshake { socket, heartbeat, .. } = &self.state {
            let (socket, heartbeat) = (*socket, heartbeat.clone());
            self.delivery = Delivery::AtMostOnce;
            self.server_max_bytes = FOREVER;
            self.drop_unconfirmable();
            let mut send_window = SendWindow::at_most_once();
            send_window.is_presumed_plain = self.is_presumed_plain();
            self.begin(socket, heartbeat, send_window, now);
        }
    }

    pub(super) fn begin(
        &mut self,
        socket: SocketId,
        mut heartbeat: Heartbeat,
        send_window: SendWindow,
        now: Timestamp,
    ) {
        // The ping that went out with the hello may be older than its deadline, and the answer to the hello proves the round trip.
        heartbeat.note_life(&self.config.heartbeat, now);
        self.state = State::Open { socket, opened_at: now, heartbeat, send_window };
        self.rejoin(socket);
        self.pump(now);
        self.emit(Event::Opened);
    }

    /// A frame of a client that asks for the reliable mode.
    pub(super) fn reliable_frame(&mut self, frame: V, now: Timestamp) {
        let Frame { kind, place, is_own } = wire::decode(&frame, &self.client_id);
        // Whatever is no event of a plain server is an answer.
        if !matches!(kind, FrameKind::Event) || place.is_some() {
            (self.is_answered, self.silences) = (true, 0);
            if let State::Handshake { answer: answer @ Answer::Missing, .. } = &mut self.state {
                *answer = Answer::Late;
            }
        }
        match (&kind, &self.state) {
            // This connection is about to be closed for its late answer, and the server says everything again on the next.
            (_, State::Handshake { answer: Answer::Late, .. }) => return,
            // The server says it again on the next connection.
            (FrameKind::Welcome(_) | FrameKind::HelloRefused, State::Closing { .. }) => return,
            (_, State::Closing { .. }) if place.is_some() => return,
            (FrameKind::HelloRefused, State::Handshake { .. }) => return self.downgrade_to_at_most_once(now),
            (FrameKind::Pong, State::Handshake { .. }) => self.downgrade_to_at_most_once(now),
            // The server sends a stored event again after the welcome.
            (_, State::Handshake { .. }) if place.is_some() => return,
            (_, State::Open { send_window, .. }) if send_window.is_presumed_plain && place.is_some() => return,
            _ => {}
        }
        if let Some(place) = &place {
            match self.incoming.arrive(place) {
                // Without a position, an event is delivered at most once.
                EventOrder::Next | EventOrder::Untracked => {}
                EventOrder::Repeated => return self.record_violation(ProtocolViolation::Repetition, now),
                EventOrder::Early => {
                    if let Some(socket) = self.socket() {
                        self.lose(socket, Cause::EventLost, now);
                    }
                    return;
                }
            }
            // The user's other devices are told what this client has done; it knows.
            if is_own {
                return;
            }
        }
        let is_about_own =
            matches!(kind, FrameKind::Refused { .. } | FrameKind::Reply { .. } | FrameKind::Receipt { .. })
                && self.is_about_own(place.as_ref());
        match kind {
            FrameKind::Event | FrameKind::HelloRefused => self.emit(Event::Frame(frame)),
            FrameKind::Pong => {
                self.pong(now);
                self.emit(Event::Frame(frame));
            }
            FrameKind::Welcome(welcome) => self.welcome(welcome, now),
            FrameKind::Position { stream, offset } => {
                if self.is_open() {
                    self.update_position(&stream, offset);
                }
            }
            FrameKind::Malformed => self.record_violation(ProtocolViolation::Malformed, now),
            FrameKind::Ack { seq } => self.acknowledgement(seq, now),
            // Nobody here waits for answers to the messages of a previous client instance.
            FrameKind::Refused { .. } if !is_about_own => self.emit(Event::Frame(frame)),
            FrameKind::Reply { .. } | FrameKind::Receipt { .. } if !is_about_own => {}
            FrameKind::Refused { seq } | FrameKind::Reply { seq } | FrameKind::Receipt { seq, .. }
                if seq > self.last_sent =>
            {
                self.record_violation(ProtocolViolation::NeverSent, now);
            }
            FrameKind::Refused { seq } => {
                self.requests.remove(seq);
                let data = frame.object(Field::Data).unwrap_or_else(V::empty);
                self.emit(Event::Refused { seq, data });
                self.emit(Event::Frame(frame));
            }
            FrameKind::Reply { seq } => {
                self.note_life(now);
                if self.requests.remove(seq) {
                    let data = frame.object(Field::Data).unwrap_or_else(V::empty);
                    self.emit(Event::Replied { seq, data });
                } else {
                    self.record_violation(ProtocolViolation::UnexpectedReply, now);
                }
            }
            FrameKind::Receipt { seq, status } => self.emit(Event::Receipt { seq, status }),
        }
    }

    /// Whether a refusal, reply or receipt is about a message of this client: its stream says whose, and without such a stream it is about
    /// the client id of the latest hello.
    fn is_about_own(&self, place: Option<&StreamOffset<V::Text>>) -> bool {
        match place {
            Some(StreamOffset { stream, .. }) if stream.is_client_stream() => self.incoming.is_own(stream),
            Some(_) => self.origin.is_none(),
            None => self.origin.is_none() && self.answers_own,
        }
    }

    fn welcome(&mut self, welcome: Welcome<V::Text>, now: Timestamp) {
        let Welcome { epoch, last, window, max_bytes, remember_ms, streams } = welcome;
        let (socket, first) = match &self.state {
            State::Handshake { socket, heartbeat, .. } => (*socket, Some(heartbeat.clone())),
            State::Open { socket, send_window, .. }
                if send_window.welcome_by < Timestamp::NEVER || send_window.is_presumed_plain =>
            {
                (*socket, None)
            }
            _ => return self.record_violation(ProtocolViolation::UnexpectedWelcome, now),
        };
        let is_own = self.origin.is_none();
        let violation = if epoch < self.incoming.epoch {
            Some(ProtocolViolation::OldEpoch)
        } else if is_own && last > self.last_sent {
            Some(ProtocolViolation::NeverSent)
        } else {
            None
        };
        if let Some(violation) = violation {
            self.record_violation(violation, now);
            return self.lose(socket, Cause::ProtocolViolation, now);
        }
        if epoch > self.incoming.epoch {
            if self.incoming.epoch > 0 {
                self.incoming.start_over();
                self.last_acked = 0;
            }
            self.incoming.epoch = epoch;
        }
        // A server that knows of no message may have forgotten this client id, if it forgets at all.
        let forgets_after_ms = if last == 0 { remember_ms } else { FOREVER };
        let is_forgotten = is_own && forgets_after_ms < FOREVER && self.last_acked > 0;
        if is_forgotten {
            self.last_acked = 0;
        } else if is_own && last < self.last_acked {
            self.record_violation(ProtocolViolation::Backwards, now);
        }
        self.delivery = Delivery::Reliable;
        self.answers_own = is_own;
        self.server_max_bytes = max_bytes;
        self.take_positions(&streams);
        self.acknowledge(last);
        self.drop_unsendable(is_forgotten, forgets_after_ms, now);
        let send_window = SendWindow::reliable(window, last);
        match first {
            Some(heartbeat) => self.begin(socket, heartbeat, send_window, now),
            None => {
                if let State::Open { send_window: current, .. } = &mut self.state {
                    current.turn_to(send_window);
                }
            }
        }
    }

    fn acknowledgement(&mut self, seq: u64, now: Timestamp) {
        let State::Open { send_window, .. } = &mut self.state else { return };
        if seq > send_window.prev || seq < send_window.acked {
            let violation =
                if seq > send_window.prev { ProtocolViolation::NeverSent } else { ProtocolViolation::Backwards };
            return self.record_violation(violation, now);
        }
        if seq > send_window.acked {
            send_window.acked = seq;
            let before = self.in_flight.len();
            self.acknowledge(seq);
            let done = before - self.in_flight.len();
            if let State::Open { send_window, .. } = &mut self.state {
                send_window.sent_here = send_window.sent_here.saturating_sub(done);
            }
        }
        self.note_life(now);
    }

    /// The server has answered something of this connection, so it hears and works.
    fn note_life(&mut self, now: Timestamp) {
        if let State::Open { send_window, heartbeat, .. } = &mut self.state {
            send_window.note_progress(now + self.config.heartbeat.timeout_ms);
            heartbeat.note_life(&self.config.heartbeat, now);
        }
    }

    /// Everything of the current origin up to `seq` is processed.
    fn acknowledge(&mut self, seq: u64) {
        while let Some(message) = self.in_flight.pop_front_if(|message| message.seq <= seq) {
            let Message { frame, purpose, .. } = *message;
            match purpose {
                Purpose::Join(session) => self.sessions.join(session, frame),
                Purpose::Leave(session) => self.sessions.leave(&session),
                Purpose::Ordinary | Purpose::Volatile | Purpose::Rejoin(_) => None,
            };
        }
        if self.origin.is_none() {
            self.last_acked = self.last_acked.max(seq);
        } else {
            // The previous client instance may have sent them and not lived to see this. What was restored since the hello stands in front of them.
            let is_done = |message: &Message<V::Text>| message.seq <= seq && message.origin == self.origin;
            self.outbox.extract(&|message| is_done(message).then_some(DropReason::Forgotten), &mut |_, _| {});
        }
        if seq > 0 {
            self.emit(Event::Acknowledged { origin: self.origin.clone(), seq });
        }
    }

    fn update_position(&mut self, stream: &V::Text, offset: u64) {
        if let PositionUpdate::Missing(from, to) = self.incoming.update(stream, offset) {
            self.emit(Event::Gap { stream: stream.clone(), from, to });
        }
    }

    /// A welcome names every stream that the connection carries.
    fn take_positions(&mut self, named: &[(V::Text, u64)]) {
        self.incoming.keep_only(named, self.origin.is_none(), &mut |stream, from| {
            self.outputs.push_back(Output::Event(Event::Gap { stream, from, to: None }));
        });
        for (stream, offset) in named {
            self.update_position(stream, *offset);
        }
    }

    /// Gives up on what is larger than the server takes, and on what may have been processed by a server that has had the time to forget
    /// it: by the age of the message, because the server may have lost the connection long before the client. `is_forgotten` says that
    /// it has forgotten this client's own for sure.
    fn drop_unsendable(&mut self, is_forgotten: bool, forgets_after_ms: u64, now: Timestamp) {
        let (max, sent, origin) = (self.server_max_bytes, self.last_sent, self.origin.clone());
        self.drop_each(&|message| {
            let is_own = message.origin.is_none();
            // What another page has left may still turn out to be processed.
            if (!is_own && message.origin != origin) || message.purpose == Purpose::Volatile {
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
    pub(super) fn handle_send_window_timeout(&mut self, now: Timestamp) {
        let State::Open { socket, send_window, .. } = &mut self.state else { return };
        let socket = *socket;
        if send_window.check_is_due(now) {
            self.outputs.push_back(Output::CheckBuffer { socket });
        }
        let overdue = send_window.ack_by.min(send_window.welcome_by);
        if now < overdue {
            return;
        }
        // A page that was suspended runs its timers before it sees the acknowledgement that has long arrived.
        if now.since(overdue) >= LATE_MS && !send_window.is_probe_spent {
            send_window.is_probe_spent = true;
            let patience = now + PROBE_MS;
            for deadline in [&mut send_window.ack_by, &mut send_window.welcome_by] {
                *deadline = if *deadline < Timestamp::NEVER { patience } else { Timestamp::NEVER };
            }
        } else {
            self.lose(socket, Cause::AckTimeout, now);
        }
    }

    /// Counts a protocol violation, reports the first 10 of a connection, and drops the connection after 100.
    pub(super) fn record_violation(&mut self, violation: ProtocolViolation, now: Timestamp) {
        self.violations = self.violations.saturating_add(1);
        self.recent_violations += 1;
        if self.recent_violations <= TOLD_VIOLATIONS {
            self.emit(Event::Violation(violation));
        }
        if self.recent_violations > BORNE_VIOLATIONS
            && let State::Handshake { socket, .. } | State::Open { socket, .. } = self.state
        {
            self.lose(socket, Cause::ProtocolViolation, now);
        }
    }
}

/// How many servers in a row have to leave a hello unanswered until the next one is taken for plain.
const SILENCES_OF_PLAIN_SERVERS: u8 = 2;
/// How many violations of one connection are reported.
const TOLD_VIOLATIONS: u32 = 10;
/// How many violations of one connection are borne.
const BORNE_VIOLATIONS: u32 = 100;
/// How late a deadline has to be noticed to conclude that the page itself was suspended, in milliseconds.
const LATE_MS: u64 = 1_000;
/// How long to wait on for what may have arrived meanwhile, in milliseconds.
const PROBE_MS: u64 = 2_000;
