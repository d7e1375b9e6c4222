//! The named values that cross between Rust and JavaScript: there, each is a string.

use wasm_bindgen::prelude::*;

use crate::mirror::mirror;
use crate::proto::wire::{Field, ReceiptStatus, Word};
use crate::proto::{Cause, Delivery, DropReason, Overflow, Phase, ProtocolViolation, Refusal, RequestFailure, Sent};

mirror! {
    /// Where the connection stands.
    #[wasm_bindgen]
    pub enum PhaseName of Phase {
        Idle = "idle",
        Connecting = "connecting",
        Open = "open",
        Closing = "closing",
        Waiting = "waiting",
        Offline = "offline",
        LoggedOut = "logged_out",
        GivenUp = "given_up",
        Fatal = "fatal",
    }
}

mirror! {
    /// Why the client ended a connection or an attempt.
    #[wasm_bindgen]
    pub enum CloseCause of Cause {
        ConnectTimeout = "connect_timeout",
        PongTimeout = "pong_timeout",
        NeverAnswered = "never_answered",
        NoWelcome = "no_welcome",
        CloseTimeout = "close_timeout",
        NoToken = "token_failed",
        NoSocket = "socket_refused",
        Disconnected = "disconnected",
        Replaced = "replaced",
        PageCached = "page_cached",
        AckTimeout = "ack_timeout",
        ProtocolViolation = "protocol_violation",
        EventLost = "event_lost",
    }
}

mirror! {
    /// How a server broke the protocol.
    #[wasm_bindgen]
    pub enum ViolationName of ProtocolViolation {
        NeverSent = "never_sent",
        Backwards = "ack_taken_back",
        OldEpoch = "old_epoch",
        UnexpectedWelcome = "unexpected_welcome",
        Repetition = "repeated_event",
        UnexpectedReply = "unexpected_reply",
        Malformed = "malformed",
    }
}

mirror! {
    /// Why an accepted message will not be sent.
    #[wasm_bindgen]
    pub enum DropName of DropReason {
        Overflow = "overflow",
        Expired = "expired",
        NotOpen = "not_open",
        Replaced = "replaced",
        Unconfirmed = "unconfirmed",
        Unsupported = "unsupported",
        Forgotten = "forgotten",
        TooLarge = "too_large",
        Poisoned = "poisoned",
        OutcomeUnknown = "outcome_unknown",
    }
}

mirror! {
    /// Why a request gets no reply.
    #[wasm_bindgen]
    pub enum FailureName of RequestFailure {
        TimedOut = "timed_out",
        Abandoned = "abandoned",
    }
}

mirror! {
    /// How far a message has come beyond the server.
    #[wasm_bindgen]
    pub enum ReceiptName of ReceiptStatus {
        Delivered = "delivered",
        Read = "read",
    }
}

/// What has become of a message that was handed to `send`.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    Sent = "sent",
    Queued = "queued",
    TooLarge = "too_large",
    QueueFull = "queue_full",
    NotOpen = "not_open",
    TooManySessions = "too_many_sessions",
    Unsupported = "unsupported",
}

impl From<Result<Sent, Refusal>> for SendOutcome {
    fn from(sent: Result<Sent, Refusal>) -> Self {
        match sent {
            Ok(Sent::Now) => Self::Sent,
            Ok(Sent::Queued) => Self::Queued,
            Err(Refusal::TooLarge { .. }) => Self::TooLarge,
            Err(Refusal::QueueFull) => Self::QueueFull,
            Err(Refusal::NotOpen) => Self::NotOpen,
            Err(Refusal::TooManySessions) => Self::TooManySessions,
            Err(Refusal::Unsupported) => Self::Unsupported,
        }
    }
}

/// What the server of the latest connection can do; nothing while that is not known.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryName {
    AtMostOnce = "at-most-once",
    Reliable = "reliable",
}

impl DeliveryName {
    pub(super) const fn of(delivery: Delivery) -> Option<Self> {
        match delivery {
            Delivery::Unknown => None,
            Delivery::AtMostOnce => Some(Self::AtMostOnce),
            Delivery::Reliable => Some(Self::Reliable),
        }
    }
}

/// What a message is for.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurposeName {
    Ordinary = "ordinary",
    Volatile = "volatile",
    Join = "join",
    Leave = "leave",
}

/// What happens at a bound of the queue.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverflowName {
    DropOldest = "drop-oldest",
    DropNewest = "drop-newest",
    Reject = "reject",
}

impl From<OverflowName> for Overflow {
    fn from(name: OverflowName) -> Self {
        match name {
            OverflowName::DropOldest => Self::DropOldest,
            OverflowName::DropNewest => Self::DropNewest,
            _ => Self::Reject,
        }
    }
}

/// What the application asks of a client.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandName {
    /// Connects, unless a connection is open, under way, or scheduled.
    Connect = "connect",
    /// Connects anew.
    Reconnect = "reconnect",
    /// Connects if what is missing is the token that the application has now.
    TokenChanged = "token_changed",
    /// Closes with code 1000 and stays closed.
    Disconnect = "disconnect",
    /// Forgets every message and every position.
    Forget = "forget",
    /// A durable message is on disk, or cannot be.
    Stored = "stored",
    /// Takes back a message that was not sent yet.
    Cancel = "cancel",
}

/// What happens in the browser and has no more to say than its name.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The alarm went off.
    Timeout = "timeout",
    /// The network came up.
    Online = "online",
    /// The network went down.
    Offline = "offline",
    /// The page became visible, or runs again after it was frozen.
    Visible = "visible",
    /// The page came back from the back/forward cache.
    Restored = "restored",
    /// The token of the attempt that is awaited cannot be had.
    TokenFailed = "token_failed",
    /// The application has no token for the attempt that is awaited: nobody is logged in.
    TokenAbsent = "token_absent",
    /// The browser makes no socket for the attempt that is awaited.
    SocketRefused = "socket_refused",
    /// The socket is open.
    SocketOpened = "socket_opened",
    /// The server has answered a ping, at most once.
    Pong = "pong",
}

mirror! {
    /// The name of a member that the protocol reads or writes.
    #[wasm_bindgen]
    pub enum FieldName of Field {
        Type = "type",
        Data = "data",
        Timestamp = "timestamp",
        Request = "request",
        Stream = "stream",
        Offset = "offset",
        Prev = "prev",
        ClientId = "client_id",
        Seq = "seq",
        Version = "version",
        Versions = "versions",
        Epoch = "epoch",
        Last = "last",
        Window = "window",
        MaxBytes = "max_bytes",
        RememberMs = "remember_ms",
        Streams = "streams",
        Status = "status",
        About = "about",
    }
}

/// A word that decides what a frame means.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordName {
    Pong = "pong",
    Welcome = "welcome",
    Ack = "ack",
    Error = "error",
    Reply = "reply",
    Receipt = "receipt",
    Stream = "stream",
    Hello = "hello",
    Ping = "ping",
    Delivered = "delivered",
    Read = "read",
}

impl From<WordName> for Word {
    fn from(word: WordName) -> Self {
        match word {
            WordName::Pong => Self::Pong,
            WordName::Welcome => Self::Welcome,
            WordName::Ack => Self::Ack,
            WordName::Error => Self::Error,
            WordName::Reply => Self::Reply,
            WordName::Receipt => Self::Receipt,
            WordName::Stream => Self::Stream,
            WordName::Hello => Self::Hello,
            WordName::Ping => Self::Ping,
            WordName::Delivered => Self::Delivered,
            WordName::Read => Self::Read,
            _ => Self::Other,
        }
    }
}

impl WordName {
    /// The word that is written: only one is.
    pub(super) const fn of(_: Word) -> Self {
        Self::Hello
    }
}
