//! The whole vocabulary between the machine and its driver.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Cause, Close, Timestamp};

/// Names one connection attempt and the socket that it made.
///
/// Every fact about a socket carries it, so that late news of a replaced socket changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub(super) u32);

impl SocketId {
    /// A number that grows with every attempt of one client.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A frame from the server that the driver has found to be an envelope.
pub trait Inbound {
    /// Whether this is the answer to a ping.
    fn is_pong(&self) -> bool;
}

/// A fact that the driver reports. Commands of the application are methods of [`Client`](super::Client) instead, because
/// they have answers.
#[derive(Debug)]
pub enum Input<M, P> {
    /// The socket's handshake is complete.
    SocketOpened {
        /// The socket that opened.
        socket: SocketId,
    },
    /// The socket is closed, or its handshake failed.
    SocketClosed {
        /// The socket that closed.
        socket: SocketId,
        /// How it ended, as the browser tells it.
        close: Close<M>,
    },
    /// There is no socket: the token could not be had, or the browser refused to make one.
    OpenFailed {
        /// The attempt that failed.
        socket: SocketId,
        /// Why.
        cause: Cause,
    },
    /// An envelope arrived.
    Frame {
        /// The socket that it arrived on.
        socket: SocketId,
        /// The envelope.
        payload: P,
    },
    /// The browser no longer takes frames on this socket although it has not reported the close yet; nothing of `messages`
    /// was handed over.
    Undelivered {
        /// The socket that refused.
        socket: SocketId,
        /// What it refused, in order.
        messages: Vec<Box<Message<M>>>,
    },
    /// The alarm went off. Early and late calls are harmless.
    Timeout,
    /// The network came up.
    NetworkOnline,
    /// The network went down.
    NetworkOffline,
    /// The page became visible, or runs again after it was frozen.
    PageVisible,
    /// The page came back from the back/forward cache, which closes sockets.
    PageRestored,
}

/// An effect that the driver performs.
#[derive(Debug)]
pub enum Output<M, P> {
    /// Ask for a token, build the URL, and open a WebSocket.
    Open {
        /// The name of the attempt.
        socket: SocketId,
        /// Whether the server refused the previous token, so that a cached one will not do.
        token_refused: bool,
    },
    /// Hand one message to the socket.
    Transmit {
        /// The socket to use.
        socket: SocketId,
        /// The message.
        message: Box<Message<M>>,
    },
    /// Send a ping frame of the application protocol.
    Ping {
        /// The socket to use.
        socket: SocketId,
    },
    /// Start the closing handshake with code 1000, and go on listening.
    Close {
        /// The socket to close.
        socket: SocketId,
    },
    /// Let go of the socket at once: stop listening first, then close it with code 1000 and do not wait.
    Abandon {
        /// The socket to let go of.
        socket: SocketId,
    },
    /// Something the application may want to know, to be delivered when every borrow is released.
    Event(Event<M, P>),
}

/// News for the application.
#[derive(Debug)]
pub enum Event<M, P> {
    /// An envelope arrived.
    Frame(P),
    /// The connection is open, sessions are rejoined, the queue is flushed.
    Opened,
    /// A connection or an attempt ended.
    Closed(Rc<Close<M>>),
    /// The next attempt is scheduled.
    Reconnecting {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The wait before it, in milliseconds, jitter included.
        delay_ms: u64,
    },
    /// The attempt budget is used up.
    GaveUp {
        /// How many attempts failed.
        attempts: u32,
    },
    /// An accepted message will not be sent.
    Dropped {
        /// The message, handed back.
        message: Box<Message<M>>,
        /// Why.
        reason: DropReason,
    },
    /// [`Client::snapshot`](super::Client::snapshot) differs from what it was.
    Changed {
        /// Whether the phase is among what differs.
        phase: bool,
    },
}

/// One outgoing message.
#[derive(Clone, Debug)]
pub struct Message<M> {
    /// The complete text frame.
    pub frame: M,
    /// The size of the frame in UTF-8 bytes.
    pub bytes: u32,
    /// What the message is for.
    pub purpose: Purpose<M>,
    pub(super) expires_at: Timestamp,
}

impl<M> Message<M> {
    /// A message whose `frame` takes `bytes` bytes in UTF-8.
    ///
    /// Boxed, because it moves through several queues.
    pub fn new(frame: M, bytes: u32, purpose: Purpose<M>) -> Box<Self> {
        Box::new(Self { frame, bytes, purpose, expires_at: Timestamp::NEVER })
    }
}

/// What a message is for, as far as its handling depends on it. `S` is the type of text; it names sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose<S = String> {
    /// Kept while there is no connection.
    Ordinary,
    /// Worthless later: never queued.
    Ephemeral,
    /// Enters a session, which is entered again after every reconnect.
    Join(S),
    /// Leaves a session.
    Leave(S),
    /// Enters a joined session again on a new socket: the client's own doing.
    Rejoin(S),
}

/// What became of an accepted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was handed to the open socket.
    Now,
    /// It waits in the queue for a connection.
    Queued,
}

/// A message that was not accepted, handed back.
#[derive(Debug)]
pub struct Refused<M> {
    /// The message.
    pub message: Box<Message<M>>,
    /// Why it was refused.
    pub refusal: Refusal,
}

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The frame is larger than `maxMessageBytes`: the caller must send less.
    TooLarge {
        /// The size of the frame in bytes.
        bytes: u32,
        /// The limit in bytes.
        max: u32,
    },
    /// The queue is full: the caller must wait for the connection, or configure another bound or overflow policy.
    QueueFull,
    /// Pings and typing are sent at once or not at all, and there is no connection.
    NotOpen,
    /// The client is in as many sessions as it can rejoin: the caller must leave some.
    TooManySessions,
}

impl Refusal {
    /// The stable name that programs can test for.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::QueueFull => "queue_full",
            Self::NotOpen => "not_open",
            Self::TooManySessions => "too_many_sessions",
        }
    }

    /// What is wrong and how to mend it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "the message is larger than `maxMessageBytes`",
            Self::QueueFull => "there is no connection and the queue is full",
            Self::NotOpen => "there is no connection, and this event is worthless later",
            Self::TooManySessions => "too many sessions are joined: leave some first",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Refusal {}

/// Why an accepted message will not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// A newer message needed the room.
    Overflow,
    /// It outlived `queue.ttlMs`.
    Expired,
    /// It is worthless later, and the socket refused it.
    Ephemeral,
}
