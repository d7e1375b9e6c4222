//! The moves between states that several inputs, commands and deadlines share.

use super::Timestamp;
use super::backoff::{Backoff, RetryPolicy, jittered};
use super::client::{Client, Network, Token};
use super::close::{Cause, Close, ReconnectAction, reconnect_action};
use super::heartbeat::Beat;
use super::io::{Event, Output, SocketId};
use super::state::State;
use super::wire::Value;

impl<V: Value> Client<V> {
    pub(super) fn wake(&mut self, now: Timestamp) {
        // Also for an attempt that runs: the user who has just returned must not see it end in giving up.
        self.backoff = Backoff::new(&self.config.reconnect);
        match self.state {
            State::Open { .. } => self.probe(now),
            State::Waiting { .. } | State::Offline { .. } => self.open(now),
            State::GivenUp => self.start_afresh(now),
            State::Idle
            | State::Connecting { .. }
            | State::Handshake { .. }
            | State::Closing { .. }
            | State::LoggedOut
            | State::Fatal => {}
        }
    }

    pub(super) fn probe(&mut self, now: Timestamp) {
        if let State::Open { socket, heartbeat, send_window, .. } = &mut self.state
            && heartbeat.probe(&self.config.heartbeat, send_window.upload(), now) == Some(Beat::Ping)
        {
            self.outputs.push_back(Output::Ping { socket: *socket });
        }
    }

    pub(super) fn start_afresh(&mut self, now: Timestamp) {
        self.forget_failures();
        self.open(now);
    }

    // One copy keeps the npm package smaller.
    #[inline(never)]
    pub(super) fn forget_failures(&mut self) {
        self.backoff = Backoff::new(&self.config.reconnect);
        self.token = Token::Unquestioned;
    }

    pub(super) fn open(&mut self, now: Timestamp) {
        self.sockets = self.sockets.wrapping_add(1);
        let socket = SocketId(self.sockets);
        self.state = State::Connecting { socket, timeout_at: now + self.config.connect_timeout_ms };
        self.outputs.push_back(Output::Open { socket, token_refused: self.token == Token::Refused });
    }

    pub(super) fn follow_up(&mut self, code: u16, now: Timestamp) {
        match (reconnect_action(code), self.token) {
            (ReconnectAction::RefreshToken, Token::Refused) => self.state = State::Fatal,
            (ReconnectAction::Fatal, _) => {
                // It is not for the token that the client stops.
                self.token = Token::Unquestioned;
                self.state = State::Fatal;
            }
            (ReconnectAction::RefreshToken, Token::Unquestioned | Token::Changed) => {
                self.token = Token::Refused;
                self.retry(RetryPolicy::Usual, now);
            }
            (ReconnectAction::RetryLater, _) => self.retry(RetryPolicy::Longer, now),
            (ReconnectAction::Retry, _) => self.retry(RetryPolicy::Usual, now),
        }
    }

    pub(super) fn retry(&mut self, policy: RetryPolicy, now: Timestamp) {
        if self.network == Network::Offline {
            self.wait_for_network(now);
            return;
        }
        match self.backoff.next(&self.config.reconnect, policy, &mut self.rng) {
            Some(delay) => {
                self.state = State::Waiting { retry_at: now + delay.ms };
                self.emit(Event::Reconnecting { attempt: delay.attempt, delay_ms: delay.ms });
            }
            None => {
                self.state = State::GivenUp;
                self.emit(Event::GaveUp { attempts: self.backoff.attempt() });
            }
        }
    }

    pub(super) fn wait_for_network(&mut self, now: Timestamp) {
        self.state = State::Offline { retry_at: now + jittered(NETWORK_CHECK_MS, NETWORK_CHECK_JITTER, &mut self.rng) };
    }

    pub(super) fn replace_socket(&mut self, cause: Cause) {
        if let Some(socket) = self.socket() {
            self.abandon(socket, Close::normal(cause));
        }
    }

    pub(super) fn abandon(&mut self, socket: SocketId, close: Close<V::Text>) {
        self.outputs.push_back(Output::Abandon { socket });
        self.note_close(close);
    }

    pub(super) fn lose(&mut self, socket: SocketId, cause: Cause, now: Timestamp) {
        self.outputs.push_back(Output::Abandon { socket });
        self.socket_closed(socket, Close::abnormal(cause), now);
    }

    pub(super) fn note_close(&mut self, close: Close<V::Text>) {
        self.closes = self.closes.wrapping_add(1);
        self.last_close = Some(close.clone());
        self.emit(Event::Closed(close));
    }

    pub(super) fn emit(&mut self, event: Event<V>) {
        self.outputs.push_back(Output::Event(event));
    }
}

/// How long the closing handshake may take, in milliseconds.
pub(super) const CLOSE_TIMEOUT_MS: u64 = 3_000;
/// How long to believe that the network is down, in milliseconds, before jitter.
const NETWORK_CHECK_MS: f64 = 30_000.0;
const NETWORK_CHECK_JITTER: f64 = 0.5;
