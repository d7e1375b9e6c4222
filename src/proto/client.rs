//! The client: every decision, composed of the small machines.

use alloc::collections::VecDeque;

use fastrand::Rng;

use super::Timestamp;
use super::backoff::Backoff;
use super::close::{Cause, Close};
use super::config::{Config, ConfigError, ValidatedConfig};
use super::heartbeat::Beat;
use super::incoming::Incoming;
use super::io::{Event, Output, SocketId};
use super::message::{Message, Refused, RequestFailure, Sent};
use super::outbox::Outbox;
use super::requests::Requests;
use super::sessions::Sessions;
use super::snapshot::{Delivery, Phase, Snapshot};
use super::state::{Answer, Closer, State};
use super::suspicion::Suspicion;
use super::time::FOREVER;
use super::timer::Timer;
use super::transitions::CLOSE_TIMEOUT_MS;
use super::wire::{Text, Value};
use alloc::boxed::Box;

/// One logical connection to a server, over as many sockets as it takes.
///
/// `V` is JSON as the platform keeps it.
#[derive(Debug)]
pub struct Client<V: Value> {
    /// Names this client to servers of the reliable mode.
    pub(super) client_id: V::Text,
    pub(super) config: ValidatedConfig,
    pub(super) rng: Rng,
    pub(super) state: State,
    pub(super) backoff: Backoff,
    /// Messages that wait.
    pub(super) outbox: Outbox<V::Text>,
    /// Messages that wait until every other is sent, and only while the connection lasts.
    pub(super) volatile: Outbox<V::Text>,
    /// Messages that were sent and are not acknowledged, all of one origin.
    pub(super) in_flight: VecDeque<Box<Message<V::Text>>>,
    /// The previous client instance that the latest hello has named; `None` is this client.
    pub(super) origin: Option<V::Text>,
    /// Whether the server's latest welcome was for this client's own messages.
    pub(super) answers_own: bool,
    /// The number of the message that was accepted last.
    pub(super) seq: u64,
    /// The highest number of this client's own that was sent.
    pub(super) last_sent: u64,
    /// The highest number of this client's own that was acknowledged.
    pub(super) last_acked: u64,
    pub(super) suspicion: Suspicion,
    /// The size of the largest message that the server of the latest connection takes, in bytes.
    pub(super) server_max_bytes: u64,
    pub(super) incoming: Incoming<V::Text>,
    pub(super) requests: Requests,
    pub(super) delivery: Delivery,
    pub(super) violations: u32,
    /// How many of them happened on the latest connection.
    pub(super) recent_violations: u32,
    pub(super) sessions: Sessions<V::Text>,
    pub(super) outputs: VecDeque<Output<V>>,
    pub(super) sockets: u32,
    pub(super) token: Token,
    pub(super) network: Network,
    pub(super) last_close: Option<Close<V::Text>>,
    pub(super) closes: u32,
    pub(super) last_rtt_ms: Option<u64>,
    /// Whether a server has ever answered anything.
    pub(super) is_answered: bool,
    /// How many handshakes in a row a server has completed and ended without an answer to the hello.
    pub(super) silences: u8,
    pub(super) announced: Announced,
}

/// What is known of the last token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Unquestioned,
    /// The server has refused it.
    Refused,
    /// The application has another one by now.
    Changed,
}

/// What the browser says about the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    Online,
    Offline,
}

/// The part of the snapshot that was last reported as changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Announced {
    phase: Phase,
    attempt: u32,
    retry_at: Option<Timestamp>,
    closes: u32,
    queued: usize,
    queued_bytes: u64,
    last_rtt_ms: Option<u64>,
    delivery: Delivery,
    has_room: bool,
    violations: u32,
}

impl Announced {
    const NOTHING: Self = Self {
        phase: Phase::Idle,
        attempt: 0,
        retry_at: None,
        closes: 0,
        queued: 0,
        queued_bytes: 0,
        last_rtt_ms: None,
        delivery: Delivery::Unknown,
        has_room: true,
        violations: 0,
    };
}

impl<V: Value> Client<V> {
    /// A client that does nothing until [`connect`](Self::connect).
    ///
    /// `client_id` names this client to servers of the reliable mode: drawn at random, and never used before (docs/PROTOCOL.md). `seed` is
    /// the only source of randomness: the same seed and the same inputs give the same outputs.
    pub fn new(config: Config, client_id: V::Text, seed: u64) -> Result<Self, ConfigError> {
        config.check().map(|config| Self::with_validated(config, client_id, seed))
    }

    /// The same for a configuration that is known to be right.
    pub fn with_validated(config: ValidatedConfig, client_id: V::Text, seed: u64) -> Self {
        let delivery = if config.reliable { Delivery::Unknown } else { Delivery::AtMostOnce };
        let incoming = Incoming::new(V::Text::client_stream(&client_id));
        Self {
            client_id,
            backoff: Backoff::new(&config.reconnect),
            rng: Rng::with_seed(seed),
            state: State::Idle,
            outbox: Outbox::default(),
            volatile: Outbox::default(),
            in_flight: VecDeque::new(),
            origin: None,
            answers_own: true,
            seq: 0,
            last_sent: 0,
            last_acked: 0,
            suspicion: Suspicion::default(),
            server_max_bytes: FOREVER,
            incoming,
            requests: Requests::default(),
            delivery,
            violations: 0,
            recent_violations: 0,
            sessions: Sessions::default(),
            outputs: VecDeque::new(),
            sockets: 0,
            token: Token::Unquestioned,
            network: Network::Online,
            last_close: None,
            closes: 0,
            last_rtt_ms: None,
            is_answered: false,
            silences: 0,
            announced: Announced { delivery, ..Announced::NOTHING },
            config,
        }
    }

    /// Connects, unless a connection is open, under way, or scheduled.
    pub fn connect(&mut self, now: Timestamp) {
        match self.state {
            State::Idle | State::LoggedOut | State::GivenUp | State::Fatal => self.start_afresh(now),
            State::Closing { socket, closer: Closer::Application, .. } => {
                self.abandon(socket, Close::normal(Cause::Replaced));
                self.start_afresh(now);
            }
            State::Closing { closer: Closer::Peer { .. }, .. }
            | State::Connecting { .. }
            | State::Handshake { .. }
            | State::Open { .. }
            | State::Waiting { .. }
            | State::Offline { .. } => {}
        }
        self.handle_timeout(now);
    }

    /// Closes with code 1000 and stays closed. The queue is kept for the next connection.
    pub fn disconnect(&mut self, now: Timestamp) {
        match self.state {
            State::Handshake { socket, .. }
            | State::Open { socket, .. }
            | State::Closing { socket, closer: Closer::Peer { .. }, .. } => {
                self.outputs.push_back(Output::Close { socket });
                self.state = State::Closing { socket, timeout_at: now + CLOSE_TIMEOUT_MS, closer: Closer::Application };
            }
            State::Connecting { socket, .. } => {
                self.state = State::Idle;
                self.abandon(socket, Close::normal(Cause::Disconnected));
            }
            State::Waiting { .. } | State::Offline { .. } | State::LoggedOut | State::GivenUp | State::Fatal => {
                self.state = State::Idle;
            }
            State::Idle | State::Closing { closer: Closer::Application, .. } => {}
        }
        self.handle_timeout(now);
    }

    /// Drops whatever connection there is and connects anew, with a fresh budget of attempts.
    pub fn reconnect(&mut self, now: Timestamp) {
        self.replace_socket(Cause::Replaced);
        self.start_afresh(now);
        self.handle_timeout(now);
    }

    /// The application has another token: somebody has logged in, or the old one was replaced. Connects if the client waits for one or for the next
    /// attempt, has given up (a refusal over HTTP looks like a lost network), or has stopped because the server refused the last one. A connection that is open keeps the token that it has.
    pub fn token_changed(&mut self, now: Timestamp) {
        match (&self.state, self.token) {
            (State::LoggedOut | State::Waiting { .. } | State::GivenUp, _) | (State::Fatal, Token::Refused) => {
                self.start_afresh(now);
            }
            _ => self.token = Token::Changed,
        }
        self.handle_timeout(now);
    }

    /// Hands a message to the open socket, or queues it.
    pub fn send(&mut self, message: Box<Message<V::Text>>, now: Timestamp) -> Result<Sent, Refused<V::Text>> {
        // First, so that nothing is handed to a socket whose pong is overdue.
        self.handle_timeout(now);
        let sent = self.accept(message, now);
        self.handle_timeout(now);
        sent
    }

    /// The next effect to perform; `None` when there is none left.
    pub fn poll_output(&mut self) -> Option<Output<V>> {
        self.outputs.pop_front()
    }

    /// When to send [`Input::Timeout`](super::Input::Timeout) at the latest, and why.
    pub fn poll_timeout(&self) -> Option<(Timestamp, Timer)> {
        let state = match &self.state {
            State::Connecting { timeout_at, .. } | State::Handshake { timeout_at, answer: Answer::Awaited, .. } => {
                (*timeout_at, Timer::ConnectOverdue)
            }
            State::Handshake { timeout_at, .. } => (*timeout_at, Timer::CloseOverdue),
            State::Open { heartbeat, send_window, .. } => sooner(heartbeat.poll_timeout(), send_window.poll_timeout()),
            State::Closing { timeout_at, .. } => (*timeout_at, Timer::CloseOverdue),
            State::Waiting { retry_at } => (*retry_at, Timer::RetryDue),
            State::Offline { retry_at } => (*retry_at, Timer::NetworkCheckDue),
            State::Idle | State::LoggedOut | State::GivenUp | State::Fatal => (Timestamp::NEVER, Timer::RetryDue),
        };
        let expiry = (self.outbox.poll_timeout(), Timer::MessageExpired);
        let reply = (self.requests.poll_timeout(), Timer::ReplyOverdue);
        let first = sooner(sooner(state, expiry), reply);
        (first.0 < Timestamp::NEVER).then_some(first)
    }

    /// What there is to see of the connection.
    pub fn snapshot(&self) -> Snapshot<'_, V::Text> {
        let seen = self.announcement();
        let Announced { phase, attempt, retry_at, queued, queued_bytes, last_rtt_ms, delivery, has_room, .. } = seen;
        let (close, protocol_errors) = (self.last_close.as_ref(), self.violations);
        Snapshot {
            phase,
            attempt,
            retry_at,
            close,
            queued,
            queued_bytes,
            last_rtt_ms,
            delivery,
            has_room,
            protocol_errors,
        }
    }

    /// Whether messages flow.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// What the server of the latest connection can do.
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The socket that inputs are accepted from, if there is one.
    pub const fn socket(&self) -> Option<SocketId> {
        match self.state {
            State::Connecting { socket, .. }
            | State::Handshake { socket, .. }
            | State::Open { socket, .. }
            | State::Closing { socket, .. } => Some(socket),
            State::Idle
            | State::Waiting { .. }
            | State::Offline { .. }
            | State::LoggedOut
            | State::GivenUp
            | State::Fatal => None,
        }
    }

    /// Does what is due at `now`, whatever woke the client, and reports what changed.
    pub(super) fn handle_timeout(&mut self, now: Timestamp) {
        self.expire_messages(now);
        match &mut self.state {
            State::Connecting { socket, timeout_at } if now >= *timeout_at => {
                let socket = *socket;
                self.lose(socket, Cause::ConnectTimeout, now);
            }
            State::Handshake { timeout_at, .. } if now >= *timeout_at => self.handle_silence(now),
            State::Open { socket, heartbeat, send_window, .. } => {
                let socket = *socket;
                match heartbeat.handle_timeout(&self.config.heartbeat, send_window.upload(), now) {
                    Some(Beat::Ping) => self.outputs.push_back(Output::Ping { socket }),
                    Some(Beat::Measure) => self.outputs.push_back(Output::CheckBuffer { socket }),
                    Some(Beat::Dead) if self.is_answered => self.lose(socket, Cause::PongTimeout, now),
                    Some(Beat::Dead) => self.lose(socket, Cause::NeverAnswered, now),
                    None => {}
                }
                self.handle_send_window_timeout(now);
            }
            State::Closing { socket, timeout_at, .. } if now >= *timeout_at => {
                let socket = *socket;
                self.lose(socket, Cause::CloseTimeout, now);
            }
            State::Waiting { retry_at } | State::Offline { retry_at } if now >= *retry_at => self.open(now),
            State::Connecting { .. }
            | State::Handshake { .. }
            | State::Closing { .. }
            | State::Waiting { .. }
            | State::Offline { .. }
            | State::Idle
            | State::LoggedOut
            | State::GivenUp
            | State::Fatal => {}
        }
        self.pump(now);
        if !matches!(self.state, State::Open { .. }) {
            self.drop_volatile();
        }
        self.fail_requests(now, RequestFailure::TimedOut);
        self.announce();
    }

    fn announce(&mut self) {
        let announcement = self.announcement();
        if announcement != self.announced {
            let phase = announcement.phase != self.announced.phase;
            if phase && matches!(announcement.phase, Phase::Idle | Phase::GivenUp | Phase::Fatal) {
                self.fail_requests(Timestamp::NEVER, RequestFailure::Abandoned);
            }
            // Requests that waited have just left the queue.
            self.announced = self.announcement();
            self.emit(Event::Changed { phase });
        }
    }

    fn announcement(&self) -> Announced {
        let (phase, attempt, retry_at) = match &self.state {
            State::Idle => (Phase::Idle, 0, None),
            State::Connecting { .. } | State::Handshake { .. } => (Phase::Connecting, self.backoff.attempt(), None),
            State::Open { .. } => (Phase::Open, 0, None),
            State::Closing { .. } => (Phase::Closing, 0, None),
            State::Waiting { retry_at } => (Phase::Waiting, self.backoff.attempt(), Some(*retry_at)),
            State::Offline { retry_at } => (Phase::Offline, 0, Some(*retry_at)),
            State::LoggedOut => (Phase::LoggedOut, 0, None),
            State::GivenUp => (Phase::GivenUp, self.backoff.attempt(), None),
            State::Fatal => (Phase::Fatal, 0, None),
        };
        Announced {
            phase,
            attempt,
            retry_at,
            closes: self.closes,
            queued: self.outbox.len(),
            queued_bytes: self.outbox.bytes(),
            last_rtt_ms: self.last_rtt_ms,
            delivery: self.delivery,
            has_room: self.has_room(),
            violations: self.violations,
        }
    }
}

fn sooner(a: (Timestamp, Timer), b: (Timestamp, Timer)) -> (Timestamp, Timer) {
    if b.0 < a.0 { b } else { a }
}
