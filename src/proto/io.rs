//! The whole vocabulary between the machine and its driver.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::message::{DropReason, Message, Numbers, RequestFailure};
use super::{Cause, Close};

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
    /// What the frame means to the state machine.
    fn news(&self) -> News;

    /// Where the event stands in a stream of stored events, if it does.
    fn place(&self) -> Option<Place> {
        None
    }
}

/// What a frame means to the state machine (docs/PROTOCOL.md). Everything but the first two belongs to the reliable mode.
///
/// Exhaustive: a kind of frame that a decoder or a model of a server leaves out would be lost in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// An event for the application.
    Event,
    /// The answer to a ping.
    Pong,
    /// The answer to a hello. Its positions were [announced](super::Client::announce_position) before.
    Welcome {
        /// The life of the server's memory.
        epoch: u64,
        /// The highest sequence number that the server has processed.
        last: u64,
        /// How many messages may be unacknowledged.
        window: u32,
        /// The size of the largest message that the server takes, in bytes.
        max_bytes: u64,
        /// How long the server remembers `last` after the last connection of a client id, in milliseconds.
        remember_ms: u64,
    },
    /// The server does not know the reliable mode.
    HelloRefused,
    /// Everything up to a sequence number is processed.
    Ack {
        /// The sequence number.
        seq: u64,
    },
    /// The server has refused a message, which counts as processed.
    Refused {
        /// The message's sequence number.
        seq: u64,
    },
    /// The reply to a request.
    Reply {
        /// The request's sequence number.
        seq: u64,
    },
    /// A message has reached its reader.
    Receipt {
        /// The message's sequence number.
        seq: u64,
    },
    /// A frame of the reliable mode with wrong fields.
    Malformed,
}

/// Where an event stands in its stream.
///
/// Exhaustive: a decoder has to fill in every field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The stream, by the number that the driver has given its name: 0 for the first, and so on.
    pub stream: u32,
    /// The event's number in the stream.
    pub offset: u64,
    /// The number of the event before it.
    pub prev: u64,
}

/// A fact that the driver reports. Commands of the application are methods of [`Client`](super::Client) instead, because
/// they have answers.
#[derive(Debug)]
#[non_exhaustive]
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
    /// The server has told, outside of a welcome, from which position on this connection carries a stream.
    Position {
        /// The socket that it came on.
        socket: SocketId,
        /// The stream's number.
        stream: u32,
        /// The position: the next event comes after it.
        offset: u64,
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
///
/// Exhaustive: an effect that a driver does not know would never happen, so a new one must break its build.
#[derive(Debug)]
pub enum Output<M, P> {
    /// Ask for a token, build the URL, and open a WebSocket.
    Open {
        /// The name of the attempt.
        socket: SocketId,
        /// Whether the server refused the previous token, so that a cached one will not do.
        token_refused: bool,
    },
    /// Say hello with the [positions](super::Client::positions) of this client.
    Hello {
        /// The socket to use.
        socket: SocketId,
        /// The client id of an earlier page whose messages come next; `None` is this client's own.
        sender: Option<M>,
        /// Whether this is the first on its connection, and so asks for the events since the positions.
        resumes: bool,
    },
    /// Hand one message to the socket.
    Transmit {
        /// The socket to use.
        socket: SocketId,
        /// The message.
        message: Box<Message<M>>,
        /// The numbers to write into its envelope.
        numbers: Option<Numbers>,
    },
    /// Nothing more happens with a frame. Of use to a driver that hands the machine names of frames instead of frames.
    Release {
        /// The frame.
        frame: M,
        /// Whether it was acknowledged; otherwise it was taken back.
        is_done: bool,
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
        /// The socket to let go of.
        socket: SocketId,
    },
    /// Something the application may want to know, to be delivered when every borrow is released.
    Event(Event<M, P>),
}

/// News for the application.
///
/// Exhaustive, as [`Output`] is: a driver has to pass each of them on. What applications match is not.
#[derive(Debug)]
pub enum Event<M, P> {
    /// An envelope arrived.
    Frame(P),
    /// The connection is open, sessions are rejoined, the queue is flushed.
    Opened,
    /// A connection or an attempt ended.
    Closed(Close<M>),
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
        /// The earlier page that had numbered them; `None` is this client.
        sender: Option<M>,
        /// The number of the last one.
        seq: u64,
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
        /// The stream's number.
        stream: u32,
        /// The offset of the first that is missing.
        from: u64,
        /// The offset of the last; `None` if nobody knows: the server counts anew, or no longer carries the stream.
        to: Option<u64>,
    },
    /// The server broke the protocol, and was not believed.
    Violation(Violation),
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

/// How a server broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// It spoke about a message that was never sent.
    NeverSent,
    /// It took back an acknowledgement.
    Backwards,
    /// Its memory is older than what this client has seen.
    OldEpoch,
    /// A welcome that nobody had asked for.
    UnexpectedWelcome,
    /// It sent a stored event again.
    Repetition,
    /// A reply to no request, to an answered one, or after its time.
    UnexpectedReply,
    /// A frame of the reliable mode with wrong fields.
    Malformed,
}

impl Violation {
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
