//! What can go wrong, and who can mend it.

use std::error::Error;
use std::fmt;

use wasm_bindgen::JsValue;

use crate::proto::{Close, ConfigError, DropReason, ProtocolViolation, Refusal, RequestFailure};

/// A URL that cannot be connected to: the caller has to change `url` or `path`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// It cannot be parsed, or has another scheme than http, https, ws and wss.
    Invalid {
        /// What is wrong and how to mend it.
        text: String,
    },
    /// A page served over https may not open an unencrypted connection.
    Insecure {
        /// What is wrong and how to mend it.
        text: String,
    },
}

impl EndpointError {
    /// The stable name that programs can test for.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid_url",
            Self::Insecure { .. } => "insecure_url",
        }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { text } | Self::Insecure { text } => f.write_str(text),
        }
    }
}

impl Error for EndpointError {}

/// Why a message was not accepted: the caller has to change it, or to wait.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SendError {
    /// The client does not take it, as it stands or at this time.
    Refused(Refusal),
    /// An option of the message, or the timeout of the request, is out of range.
    InvalidOption(ConfigError),
    /// The name of the event is empty or longer than 128 bytes, or `hello` in the reliable mode.
    InvalidEvent,
    /// The data is no JSON object.
    InvalidData,
    /// A field cannot be written as JSON without loss: keys of maps have to be strings other than `__proto__`, integers within ±(2⁵³ − 1), and other
    /// numbers finite.
    Unserialisable {
        /// The path of the field; empty where it is not known.
        field: String,
        /// What JavaScript threw, or `undefined`.
        cause: JsValue,
    },
    /// There is no JavaScript here: the page is being rendered on a server, where clients stay idle.
    NoJavaScript,
}

impl SendError {
    /// The stable name that programs can test for.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::InvalidOption(_) => "invalid_option",
            Self::InvalidEvent => "invalid_event",
            Self::InvalidData => "invalid_data",
            Self::Unserialisable { .. } => "unserialisable",
            Self::NoJavaScript => "no_javascript",
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(Refusal::TooLarge { bytes, max }) => {
                write!(f, "the message takes {bytes} bytes, more than the {max} of `max_message_bytes`")
            }
            Self::Refused(refusal) => fmt::Display::fmt(refusal, f),
            Self::InvalidOption(error) => fmt::Display::fmt(error, f),
            Self::InvalidEvent => {
                f.write_str("the name of an event must have 1 to 128 bytes, and not be \"hello\" in the reliable mode")
            }
            Self::InvalidData => f.write_str("the data of an event must be a JSON object"),
            Self::Unserialisable { field, .. } if field.is_empty() => {
                f.write_str("the data cannot be written as JSON without loss")
            }
            Self::Unserialisable { field, .. } => write!(f, "`{field}` cannot be written as JSON without loss"),
            Self::NoJavaScript => f.write_str("there is no JavaScript here: on a server, clients stay idle"),
        }
    }
}

impl Error for SendError {}

/// Why a request has no reply.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// It was not accepted, and so never sent: the caller has to change it, or to wait.
    Refused(SendError),
    /// The server does not do what it was asked. See to the request, by `code`.
    Rejected {
        /// A word for programs, such as `not_joined`; empty if the server gave none.
        code: String,
        /// A sentence for people; empty if the server gave none.
        message: String,
    },
    /// No reply came in time. The server may have done what it was asked, unless the request was still in the queue.
    TimedOut,
    /// The application disconnected, the client gave up, or the server refused it for good. The server may have done what it was
    /// asked, or do it on a later connection.
    Abandoned,
    /// It will not be sent any more. With [`DropReason::Unconfirmed`] or [`DropReason::Forgotten`] it may have been sent before.
    Dropped(DropReason),
    /// [`cancel`](super::Client::cancel) has taken it back before it was sent.
    Cancelled,
    /// The server has done it, and the result has not the shape that was asked for: see to the server, or to the type.
    Undecodable {
        /// The path of the field that is wrong; empty for the result itself.
        field: String,
        /// What was expected. Holds no value of the result.
        reason: String,
    },
}

impl RequestError {
    pub(crate) const fn failed(failure: RequestFailure) -> Self {
        match failure {
            RequestFailure::TimedOut => Self::TimedOut,
            RequestFailure::Abandoned => Self::Abandoned,
        }
    }

    /// The stable name that programs can test for.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::Rejected { .. } => "refused",
            Self::TimedOut => "timed_out",
            Self::Abandoned => "abandoned",
            Self::Dropped(reason) => reason.code(),
            Self::Cancelled => "cancelled",
            Self::Undecodable { .. } => "undecodable",
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => fmt::Display::fmt(error, f),
            Self::Rejected { message, .. } if message.is_empty() => f.write_str("the server refused the request"),
            Self::Rejected { message, .. } => write!(f, "the server refused the request: {message}"),
            Self::TimedOut => f.write_str("the request got no reply in time"),
            Self::Abandoned => f.write_str("the request got no reply before the connection was given up or closed"),
            Self::Dropped(_) => write!(f, "the request was dropped: {}", self.code()),
            Self::Cancelled => f.write_str("the request was taken back"),
            Self::Undecodable { field, reason } if field.is_empty() => write!(f, "the result does not fit: {reason}"),
            Self::Undecodable { field, reason } => write!(f, "`{field}` in the result does not fit: {reason}"),
        }
    }
}

impl Error for RequestError {}

/// Why there will be no connection unless somebody asks for one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotConnected {
    /// The application has not connected, or has disconnected: call `connect()`.
    Disconnected,
    /// The application has no token: log in, and call `token_changed()`.
    LoggedOut,
    /// Every attempt failed: see to the server or the network. The client starts afresh when the network or the user comes back,
    /// and at `reconnect()`.
    GaveUp {
        /// How many attempts failed.
        attempts: u32,
    },
    /// The server refused the client for good: see to the token, or to what the close code says. Only `connect()` and
    /// `reconnect()` start afresh, and `token_changed()` if it was about the token.
    Fatal(Option<Close>),
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected => f.write_str("not connected: call `connect()`"),
            Self::LoggedOut => f.write_str("nobody is logged in: there is no token"),
            Self::GaveUp { attempts } => write!(f, "gave up after {attempts} failed attempts to reconnect"),
            Self::Fatal(Some(close)) => write!(f, "the server refused the connection with close code {}", close.code),
            Self::Fatal(None) => f.write_str("the server refused the connection"),
        }
    }
}

impl Error for NotConnected {}

/// What went wrong beside any call, as [`ClientEvent::Error`](super::ClientEvent::Error) and the [streams](super::Client::events) tell it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientError {
    /// The server sent a frame that is no event: see to the server.
    BadFrame {
        /// In which way.
        text: String,
        /// The start of the frame, unless it was binary.
        frame: Option<String>,
    },
    /// The payload of an event has not the shape that it was subscribed with, and was not delivered: see to the server, or to
    /// the type.
    Undecodable {
        /// The type of the event.
        event: String,
        /// The path of the field that is wrong; empty for the payload itself.
        field: String,
        /// What was expected. Holds no value of the payload.
        reason: String,
    },
    /// The task that reads a [stream](super::Client::events) was slow, and these events are lost to it: see to the task, or raise
    /// [`capacity`](super::Events::capacity). Only the stream itself says so.
    Lagged {
        /// The type of the event; empty for those of the connection.
        event: String,
        /// How many are missing, between what the stream gave before this and what it gives next.
        missed: u64,
    },
    /// A handler or listener threw; the others still ran. See to the handler.
    HandlerFailed {
        /// The type of the event that it handled.
        event: String,
        /// What it threw.
        cause: JsValue,
    },
    /// A function of [`ChatOptions`](super::ChatOptions) panicked, which counts as no answer. See to the function.
    #[cfg(feature = "json")]
    OptionFailed {
        /// The option that was given the function.
        option: &'static str,
        /// What was thrown.
        cause: JsValue,
    },
    /// The application's token function failed, or its token cannot travel as a subprotocol; the attempt counts as failed. See to the function.
    TokenFailed {
        /// What it threw or rejected with, or in which way the token is unfit, without the token.
        cause: JsValue,
    },
    /// The server broke the reliable mode's rules, and what it said was ignored: see to the server.
    Protocol(ProtocolViolation),
}

impl ClientError {
    /// The stable name that programs can test for.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadFrame { .. } => "bad_frame",
            Self::Undecodable { .. } => "undecodable",
            Self::Lagged { .. } => "lagged",
            Self::HandlerFailed { .. } => "handler_failed",
            #[cfg(feature = "json")]
            Self::OptionFailed { .. } => "option_failed",
            Self::TokenFailed { .. } => "token_failed",
            Self::Protocol(_) => "protocol_error",
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadFrame { text, .. } => f.write_str(text),
            Self::Undecodable { event, field, reason } if field.is_empty() => {
                write!(f, "the payload of \"{event}\" does not fit: {reason}")
            }
            Self::Undecodable { event, field, reason } => {
                write!(f, "`{field}` in the payload of \"{event}\" does not fit: {reason}")
            }
            Self::Lagged { event, missed } if event.is_empty() => {
                write!(f, "the task was too slow for the connection's events: {missed} are missing")
            }
            Self::Lagged { event, missed } => write!(f, "the task was too slow for \"{event}\": {missed} are missing"),
            Self::HandlerFailed { event, .. } => write!(f, "a handler of \"{event}\" threw; the others still ran"),
            #[cfg(feature = "json")]
            Self::OptionFailed { option, .. } => write!(f, "the function of the chat option `{option}` panicked"),
            Self::TokenFailed { .. } => f.write_str("the token could not be had, or cannot travel as a subprotocol"),
            Self::Protocol(violation) => write!(f, "the server broke the protocol: {}", violation.text()),
        }
    }
}

impl Error for ClientError {}
