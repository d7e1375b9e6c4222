//! The whole vocabulary between the machine and its driver.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::coded::coded;
use super::message::{DropReason, Message, RequestFailure, Sequence};
use super::wire::{ReceiptStatus, Value};
use super::{Cause, Close};

/// Names one connection attempt and the socket that it made.
///
/// Every input about a socket carries it, so that a late one about a replaced socket changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub(super) u32);

impl SocketId {
    /// A number that grows with every attempt of one client.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// What happened, as the driver reports it. Commands of the application are methods of [`Client`](super::Client) instead, because
/// they have answers.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<V: Value> {
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
        close: Close<V::Text>,
    },
    /// There is no socket: the token could not be had, or the browser refused to make one.
    OpenFailed {
        /// The attempt that failed.
        socket: SocketId,
        /// Why.
        cause: Cause,
    },
    /// There is no socket, because nobody is logged in: the application has no token.
    TokenAbsent {
        /// The attempt that is over.
        socket: SocketId,
    },
    /// An envelope arrived.
    Frame {
        /// The socket that it arrived on.
        socket: SocketId,
        /// The envelope: a JSON object with a string `type`.
        frame: V,
    },
    /// The server has answered a ping. Says nothing in the reliable mode, where the frame does.
    Pong {
        /// The socket that the answer arrived on.
        socket: SocketId,
    },
    /// How many bytes the browser has taken and not handed to the network yet (WHATWG WebSocket, `bufferedAmount`).
    Buffered {
        /// The socket that holds them.
        socket: SocketId,
        /// Their number.
        bytes: u64,
    },
    /// The browser no longer takes frames on this socket although it has not reported the close yet; nothing of `messages`
    /// was handed over.
    Undelivered {
        /// The socket that refused.
        socket: SocketId,
        /// What it refused, in order.
        messages: Vec<Box<Message<V::Text>>>,
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
///
/// Exhaustive: an effect that a driver does not know would never happen, so a new one must break its build.
#[derive(Debug)]
pub enum Output<V: Value> {
    /// Ask for a token, build the URL, and open a WebSocket.
    Open {
        /// The name of the attempt.
        socket: SocketId,
        /// Whether the server refused the previous token, so that a cached one will not do.
        token_refused: bool,
    },
    /// Say hello.
    Hello {
        /// The socket to use.
        socket: SocketId,
        /// The client id whose messages come next: this client's own, or that of a previous client instance.
        client_id: V::Text,
        /// The position in each stream, if this is the first hello of its connection, which asks for the events since.
        positions: Option<Vec<(V::Text, u64)>>,
    },
    /// Hand one message to the socket.
    Transmit {
        /// The socket to use.
        socket: SocketId,
        /// The message.
        message: Box<Message<V::Text>>,
        /// The sequence to write into its envelope.
        sequence: Option<Sequence>,
    },
    /// Report [`Input::Buffered`].
    CheckBuffer {
        /// The socket to look at.
        socket: SocketId,
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
        /// The socket to abandon.
        socket: SocketId,
    },
    /// Something the application may want to know, to be delivered when every borrow is released.
    Event(Event<V>),
}

/// What the application may want to know.
///
/// Exhaustive, as [`Output`] is: a driver has to pass each of them on. What applications match is not.
#[derive(Debug)]
pub enum Event<V: Value> {
    /// An envelope arrived.
    Frame(V),
    /// The connection is open, sessions are rejoined, the queue is flushed.
    Opened,
    /// A connection or an attempt ended.
    Closed(Close<V::Text>),
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
    /// A message that had waited was handed to the socket.
    Transmitted {
        /// The message's number.
        seq: u64,
    },
    /// The server has processed every numbered message up to this one.
    Acknowledged {
        /// The previous client instance that had numbered them; `None` is this client.
        origin: Option<V::Text>,
        /// The number of the last one.
        seq: u64,
    },
    /// The server has refused a message of this client, which counts as processed. The frame that says so is an event as well.
    Refused {
        /// The message's number.
        seq: u64,
        /// The payload of the frame that says so.
        data: V,
    },
    /// The reply to a request.
    Replied {
        /// The request's number.
        seq: u64,
        /// The payload of the frame that brings it.
        data: V,
    },
    /// A message of this client has come to another user.
    Receipt {
        /// The message's number.
        seq: u64,
        /// How far it has come.
        status: ReceiptStatus,
    },
    /// A request gets no reply any more.
    RequestFailed {
        /// The request's number.
        seq: u64,
        /// Why.
        failure: RequestFailure,
    },
    /// Events of a stream cannot be had any more.
    Gap {
        /// The stream.
        stream: V::Text,
        /// The offset of the first that is missing.
        from: u64,
        /// The offset of the last; `None` if nobody knows: the server counts anew, or no longer carries the stream.
        to: Option<u64>,
    },
    /// The server broke the protocol, and what it said was ignored.
    Violation(ProtocolViolation),
    /// An accepted message will not be sent.
    Dropped {
        /// The message, handed back.
        message: Box<Message<V::Text>>,
        /// Why.
        reason: DropReason,
    },
    /// [`Client::snapshot`](super::Client::snapshot) differs from what it was.
    Changed {
        /// Whether the phase is among what differs.
        phase: bool,
    },
}

coded! {
    /// How a server broke the protocol.
    #[non_exhaustive]
    pub enum ProtocolViolation {
        /// It spoke about a message that was never sent.
        NeverSent = "never_sent",
        /// It took back an acknowledgement.
        Backwards = "ack_taken_back",
        /// Its memory is older than what this client has seen.
        OldEpoch = "old_epoch",
        /// A welcome that nobody had asked for.
        UnexpectedWelcome = "unexpected_welcome",
        /// It sent a stored event again.
        Repetition = "repeated_event",
        /// A reply to no request, to an answered one, or after its time.
        UnexpectedReply = "unexpected_reply",
        /// A frame of the reliable mode with wrong fields.
        Malformed = "malformed",
    }
}

impl ProtocolViolation {
    /// What the server did wrong.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NeverSent => "answer to what was never sent",
            Self::Backwards => "acknowledgement taken back",
            Self::OldEpoch => "old epoch",
            Self::UnexpectedWelcome => "unexpected welcome",
            Self::Repetition => "repeated event",
            Self::UnexpectedReply => "unexpected reply",
            Self::Malformed => "wrong fields",
        }
    }
}
