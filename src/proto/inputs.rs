//! What each input changes.

use super::Timestamp;
use super::backoff::{Backoff, RetryPolicy};
use super::client::{Client, Network, Token};
use super::close::{Cause, Close, Reason, can_blame_a_message, may_echo};
use super::heartbeat::Heartbeat;
use super::io::{Event, Input, SocketId};
use super::message::{DropReason, Message, Purpose};
use super::send_window::SendWindow;
use super::snapshot::Delivery;
use super::state::{Answer, Closer, State};
use super::transitions::CLOSE_TIMEOUT_MS;
use super::wire::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The npm package's module for Socket.IO servers never meets an envelope, and leaves out what only they need.
const READS_ENVELOPES: bool = !cfg!(all(feature = "npm", feature = "socketio"));

impl<V: Value> Client<V> {
    /// Takes an input, and does what is due at `now`.
    pub fn handle_input(&mut self, input: Input<V>, now: Timestamp) {
        match input {
            Input::SocketOpened { socket } => self.socket_opened(socket, now),
            Input::SocketClosed { socket, close } => self.socket_closed(socket, close, now),
            Input::OpenFailed { socket, cause } => self.socket_closed(socket, Close::abnormal(cause), now),
            Input::TokenAbsent { socket } => self.token_absent(socket, now),
            Input::Frame { socket, frame } => self.frame(socket, frame, now),
            Input::Pong { socket } if self.socket() == Some(socket) && !self.config.reliable => self.pong(now),
            Input::Pong { .. } => {}
            Input::Buffered { socket, bytes } => self.measure(socket, bytes, now),
            Input::Undelivered { socket, messages } => self.undelivered(socket, messages, now),
            Input::Timeout => {}
            Input::NetworkOnline => {
                self.network = Network::Online;
                self.wake(now);
            }
            Input::NetworkOffline => {
                self.network = Network::Offline;
                match self.state {
                    State::Open { .. } => self.probe(now),
                    State::Waiting { .. } => self.wait_for_network(now),
                    State::Idle
                    | State::Connecting { .. }
                    | State::Handshake { .. }
                    | State::Closing { .. }
                    | State::Offline { .. }
                    | State::LoggedOut
                    | State::GivenUp
                    | State::Fatal => {}
                }
            }
            Input::PageVisible => self.wake(now),
            Input::PageRestored => match self.state {
                State::Open { .. }
                | State::Connecting { .. }
                | State::Handshake { .. }
                | State::Closing { closer: Closer::Peer { .. }, .. } => {
                    self.replace_socket(Cause::PageCached);
                    self.start_afresh(now);
                }
                State::Idle
                | State::Closing { closer: Closer::Application, .. }
                | State::Waiting { .. }
                | State::Offline { .. }
                | State::LoggedOut
                | State::GivenUp
                | State::Fatal => self.wake(now),
            },
        }
        self.handle_timeout(now);
    }

    fn socket_opened(&mut self, opened: SocketId, now: Timestamp) {
        let State::Connecting { socket, timeout_at } = self.state else {
            return;
        };
        if socket != opened {
            return;
        }
        self.expire_messages(now);
        if READS_ENVELOPES && self.config.reliable {
            self.start_handshake(socket, timeout_at, now);
        } else {
            self.begin(socket, Heartbeat::new(&self.config.heartbeat, now), SendWindow::at_most_once(), now);
        }
    }

    pub(super) fn socket_closed(&mut self, closed: SocketId, mut close: Close<V::Text>, now: Timestamp) {
        if self.socket() != Some(closed) {
            return;
        }
        if let State::Handshake { answer: answer @ (Answer::Missing | Answer::Late), .. } = self.state
            && may_echo(close.code)
        {
            if close.was_clean && answer == Answer::Missing {
                self.silences = self.silences.saturating_add(1);
            }
            close = Close::abnormal(Cause::NoWelcome);
        }
        let code = close.code;
        let may_blame = can_blame_a_message(code) && matches!(close.reason, Reason::Peer(_));
        self.note_close(close);
        match self.state {
            State::Closing { closer: Closer::Application, .. } => self.state = State::Idle,
            State::Open { opened_at, .. } | State::Closing { closer: Closer::Peer { opened_at, .. }, .. } => {
                if now.since(opened_at) >= self.config.reconnect.stable_after_ms {
                    self.forget_failures();
                }
                let sent_through = self.sent_through();
                if may_blame && self.in_flight.front().is_some_and(|head| head.seq <= sent_through) {
                    self.blame_a_message(sent_through);
                    self.retry(RetryPolicy::Usual, now);
                } else {
                    self.follow_up(code, now);
                }
            }
            State::Connecting { .. } | State::Handshake { .. } => self.follow_up(code, now),
            State::Idle
            | State::Waiting { .. }
            | State::Offline { .. }
            | State::LoggedOut
            | State::GivenUp
            | State::Fatal => {}
        }
    }

    fn token_absent(&mut self, attempt: SocketId, now: Timestamp) {
        if self.socket() != Some(attempt) {
            return;
        }
        if self.token == Token::Changed {
            // The answer may be older than the change. Asking again at once could go on for ever.
            self.token = Token::Unquestioned;
            self.retry(RetryPolicy::Usual, now);
        } else {
            self.state = State::LoggedOut;
        }
    }

    fn measure(&mut self, measured: SocketId, bytes: u64, now: Timestamp) {
        if let State::Open { socket, send_window, .. } = &mut self.state
            && *socket == measured
        {
            send_window.measure(bytes, &self.config.buffer, now);
        }
    }

    fn frame(&mut self, arrived_on: SocketId, frame: V, now: Timestamp) {
        if !READS_ENVELOPES {
            return;
        }
        // Frames may still arrive while the closing handshake is under way.
        if self.socket() != Some(arrived_on) || matches!(self.state, State::Connecting { .. }) {
            return;
        }
        if self.config.reliable {
            self.reliable_frame(frame, now);
        } else {
            self.emit(Event::Frame(frame));
        }
    }

    pub(super) fn pong(&mut self, now: Timestamp) {
        self.is_answered = true;
        if let State::Open { heartbeat, .. } = &mut self.state
            && let Some(rtt_ms) = heartbeat.handle_pong(&self.config.heartbeat, now)
        {
            self.last_rtt_ms = Some(rtt_ms);
        }
    }

    /// The number of the last message in flight that was handed to the socket of this connection; 0 if none was.
    fn sent_through(&self) -> u64 {
        match &self.state {
            State::Open { send_window, .. } if send_window.sent_here > 0 => send_window.prev,
            State::Closing { closer: Closer::Peer { sent_through, .. }, .. } => *sent_through,
            _ => 0,
        }
    }

    /// The server itself has ended the connection, in words that can be about a message under way.
    fn blame_a_message(&mut self, sent_through: u64) {
        if let Some(message) = self.in_flight.pop_front_if(|head| self.suspicion.strike(head.seq, sent_through)) {
            self.report_dropped(message, DropReason::Poisoned);
            // The server could be reached all along, so the attempts say nothing about the next message.
            self.backoff = Backoff::new(&self.config.reconnect);
        }
    }

    fn undelivered(&mut self, refused_by: SocketId, mut messages: Vec<Box<Message<V::Text>>>, now: Timestamp) {
        // What they have joined and left in vain, the latest first.
        for message in messages.iter_mut().rev() {
            let frame = message.displaced.take();
            _ = match (&message.purpose, frame) {
                (Purpose::Join(session) | Purpose::Leave(session), Some(frame)) => {
                    self.sessions.join(session.clone(), frame)
                }
                (Purpose::Join(session), None) if self.delivery != Delivery::Reliable => self.sessions.leave(session),
                _ => None,
            };
        }
        let mut keep = Vec::new();
        let mut sent_through = self.sent_through();
        for message in messages {
            match message.purpose {
                Purpose::Ordinary | Purpose::Join(_) | Purpose::Leave(_) if self.delivery == Delivery::Reliable => {
                    // It is in flight, and goes out again on the next connection.
                    sent_through = sent_through.min(message.seq.saturating_sub(1));
                }
                Purpose::Ordinary | Purpose::Join(_) | Purpose::Leave(_) => keep.push(message),
                Purpose::Volatile => self.report_dropped(message, DropReason::NotOpen),
                // Its session is joined again on the next connection.
                Purpose::Rejoin(_) => {}
            }
        }
        match self.state {
            State::Open { socket, opened_at, .. } if socket == refused_by => {
                self.put_back(keep, now);
                let closer = Closer::Peer { opened_at, sent_through };
                self.state = State::Closing { socket, timeout_at: now + CLOSE_TIMEOUT_MS, closer };
            }
            State::Open { .. } => keep.into_iter().for_each(|message| self.forward(message, now)),
            _ => self.put_back(keep, now),
        }
    }

    fn put_back(&mut self, mut messages: Vec<Box<Message<V::Text>>>, now: Timestamp) {
        while let Some(message) = messages.pop() {
            if self.outbox.has_room(message.bytes, None, &self.config.queue) {
                self.outbox.put_back(message, &self.config.queue, now);
            } else {
                self.report_dropped(message, DropReason::Overflow);
            }
        }
    }
}
