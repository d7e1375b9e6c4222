//! What an application sends, and what can become of it.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use super::Timestamp;
use super::coded::coded;

/// One outgoing message.
#[derive(Clone, Debug)]
pub struct Message<M> {
    /// The complete text frame.
    pub frame: M,
    /// The size of the frame in UTF-8 bytes.
    pub bytes: u32,
    /// What the message is for.
    pub purpose: Purpose<M>,
    /// Its number among the messages of its origin, given when it is accepted; 0 before.
    pub seq: u64,
    /// The client id of the previous client instance that accepted it; `None` is this client.
    pub origin: Option<M>,
    /// How it waits.
    pub policy: Policy<M>,
    /// How old it was when this client accepted or restored it, in milliseconds: 0 unless a previous client instance has left it.
    pub age_ms: u64,
    /// The frame that had joined the session before this message was handed to a plain server's socket, to undo what it joins or leaves.
    pub(super) displaced: Option<M>,
    pub(super) accepted_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// How one message waits, and what for. Made by [`Policy::default`], then changed field by field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy<M> {
    /// How long it may wait, in milliseconds, instead of [`Queue::ttl_ms`](super::config::Queue::ttl_ms). A message that was sent once does
    /// not expire any more.
    pub ttl_ms: Option<u64>,
    /// Replaces a waiting message with the same key, unless that one has the higher [`rank`](Self::rank).
    pub coalesce: Option<M>,
    /// Which of two messages with the same key says more: 0 for those whose latest counts.
    pub rank: u64,
    /// Whether it must be on disk before it is sent, which [`Client::stored`](super::Client::stored) says.
    pub awaits_storage: bool,
    /// How long to wait for the reply to it, in milliseconds, if it is a request.
    pub reply_within_ms: Option<u64>,
}

impl<M> Default for Policy<M> {
    fn default() -> Self {
        Self { ttl_ms: None, coalesce: None, rank: 0, awaits_storage: false, reply_within_ms: None }
    }
}

/// What a message's envelope says about its place among the origin's messages.
///
/// Exhaustive: a driver has to write every one of them into the envelope, and must not compile until it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Its sequence number.
    pub seq: u64,
    /// The number that the server must have before it.
    pub prev: u64,
}

impl<M> Message<M> {
    /// A message whose `frame` takes `bytes` bytes in UTF-8.
    ///
    /// Boxed, because it moves through several queues.
    pub fn new(frame: M, bytes: u32, purpose: Purpose<M>) -> Box<Self> {
        let (accepted_at, expires_at) = (Timestamp::from_millis(0), Timestamp::NEVER);
        let policy = Policy::default();
        Box::new(Self {
            frame,
            bytes,
            purpose,
            seq: 0,
            origin: None,
            policy,
            age_ms: 0,
            displaced: None,
            accepted_at,
            expires_at,
        })
    }

    /// How long ago the application has sent it, in milliseconds.
    pub(super) const fn age_at(&self, now: Timestamp) -> u64 {
        self.age_ms.saturating_add(now.since(self.accepted_at))
    }
}

/// What a message is for, as far as its handling depends on it. `S` is the type of text; it names sessions.
///
/// Exhaustive: who follows memberships from outside, as models of a server do, has to judge every purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose<S = String> {
    /// Kept while there is no connection.
    Ordinary,
    /// Worthless later: never queued.
    Volatile,
    /// Enters a session, which is entered again after every reconnect.
    Join(S),
    /// Leaves a session.
    Leave(S),
    /// Enters a joined session again on a new socket: the client's own doing.
    Rejoin(S),
}

/// What became of an accepted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sent {
    /// It was handed to the open socket.
    Now,
    /// It waits in the queue for a connection.
    Queued,
}

/// A message that was not accepted, handed back.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused<M> {
    /// The message.
    pub message: Box<Message<M>>,
    /// Why it was refused.
    pub refusal: Refusal,
}

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The frame is larger than `maxMessageBytes`, or than the server of the latest connection takes: the caller must send less.
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
    /// Requests need the reliable mode: the caller must ask for it, or the server lacks it.
    Unsupported,
}

impl Refusal {
    /// The stable name that programs can test for.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::QueueFull => "queue_full",
            Self::NotOpen => "not_open",
            Self::TooManySessions => "too_many_sessions",
            Self::Unsupported => "unsupported",
        }
    }

    /// What is wrong and how to mend it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "the message is larger than `maxMessageBytes`, or than the server takes",
            Self::QueueFull => "too much waits already: try again when some of it is sent, or answered",
            Self::NotOpen => "there is no connection, and this event is volatile",
            Self::TooManySessions => "too many sessions are joined: leave some first",
            Self::Unsupported => "requests need the reliable mode, and a server that knows it",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Refusal {}

coded! {
    /// Why an accepted message will not be sent.
    #[non_exhaustive]
    pub enum DropReason {
        /// A newer message needed the room.
        Overflow = "overflow",
        /// It outlived `queue.ttlMs`.
        Expired = "expired",
        /// It is volatile, and the socket refused it.
        NotOpen = "not_open",
        /// A newer message with the same key took its place.
        Replaced = "replaced",
        /// It was sent to a server that could not be asked whether it had arrived.
        Unconfirmed = "unconfirmed",
        /// The server does not know requests.
        Unsupported = "unsupported",
        /// The application has asked to forget everything.
        Forgotten = "forgotten",
        /// It is larger than the server takes.
        TooLarge = "too_large",
        /// The server has ended three connections in a row over it.
        Poisoned = "poisoned",
        /// It may have been sent before, and is older than what the server remembers.
        OutcomeUnknown = "outcome_unknown",
    }
}

coded! {
    /// Why a request gets no reply.
    #[non_exhaustive]
    pub enum RequestFailure {
        /// None came in time.
        TimedOut = "timed_out",
        /// The connection was given up or closed by the application.
        Abandoned = "abandoned",
    }
}
