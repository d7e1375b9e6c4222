//! What can go wrong, and who can mend it.

use std::error::Error;
use std::fmt;

use wasm_bindgen::JsValue;

use super::host;
use crate::proto::{Close, ConfigError, Refusal, Violation};

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
    pub(super) fn from_js(error: &JsValue) -> Self {
        let text = host::text(error, "message");
        match host::text(error, "code").as_str() {
            "insecure_url" => Self::Insecure { text },
            _ => Self::Invalid { text },
        }
    }

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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The client does not take it, as it stands or at this time.
    Refused(Refusal),
    /// An option of the message, or the timeout of the request, is out of range.
    InvalidOption(ConfigError),
    /// The name of the event is empty.
    InvalidEvent,
    /// The data is no JSON object.
    InvalidData,
    /// A field cannot be written as JSON.
    Unserialisable {
        /// The path of the field; empty where it is not known.
        field: String,
        /// What JavaScript threw, or `undefined`.
        cause: JsValue,
    },
}

impl SendError {
    pub(super) fn from_js(error: &JsValue) -> Self {
        match host::text(error, "code").as_str() {
            "invalid_event" => Self::InvalidEvent,
            "invalid_data" => Self::InvalidData,
            _ => Self::Unserialisable { field: String::new(), cause: host::get(error, "cause") },
        }
    }

    /// The stable name that programs can test for.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::InvalidOption(_) => "invalid_option",
            Self::InvalidEvent => "invalid_event",
            Self::InvalidData => "invalid_data",
            Self::Unserialisable { .. } => "unserialisable",
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(Refusal::TooLarge { bytes, max }) => {
                write!(f, "the message takes {bytes} bytes, more than the {max} of `max_message_bytes`")
            }
            Self::Refused(Refusal::QueueFull) => f.write_str("there is no connection and the queue is full"),
            Self::Refused(Refusal::NotOpen) => f.write_str("there is no connection, and this event is worthless later"),
            Self::Refused(Refusal::TooManySessions) => f.write_str("too many sessions are joined: leave some first"),
            Self::Refused(Refusal::Unsupported) => f.write_str(Refusal::Unsupported.text()),
            Self::InvalidOption(error) => fmt::Display::fmt(error, f),
            Self::InvalidEvent => f.write_str("the name of an event must not be empty"),
            Self::InvalidData => f.write_str("the data of an event must be a JSON object"),
            Self::Unserialisable { field, .. } if field.is_empty() => f.write_str("the data cannot be written as JSON"),
            Self::Unserialisable { field, .. } => write!(f, "`{field}` cannot be written as JSON"),
        }
    }
}

impl Error for SendError {}

/// Why there will be no connection unless somebody asks for one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotConnected {
    /// The application has not connected, or has disconnected: call `connect()`.
    Disconnected,
    /// Every attempt failed: see to the server or the network. The client starts afresh when the network or the user comes back,
    /// and at `reconnect()`.
    GaveUp {
        /// How many attempts failed.
        attempts: u32,
    },
    /// The server refused the client for good: see to the token, or to what the close code says. Only `connect()` and
    /// `reconnect()` start afresh.
    Fatal(Option<Close>),
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected => f.write_str("not connected: call `connect()`"),
            Self::GaveUp { attempts } => write!(f, "gave up after {attempts} failed attempts to reconnect"),
            Self::Fatal(Some(close)) => write!(f, "the server refused the connection with close code {}", close.code),
            Self::Fatal(None) => f.write_str("the server refused the connection"),
        }
    }
}

impl Error for NotConnected {}

/// What went wrong beside any call.
#[derive(Clone, Debug)]
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
    /// A handler or listener threw; the others still ran. See to the handler.
    HandlerFailed {
        /// The type of the event that it handled.
        event: String,
        /// What it threw.
        cause: JsValue,
    },
    /// The application's token function failed; the attempt counts as failed. See to the function.
    TokenFailed {
        /// What it threw or rejected with.
        cause: JsValue,
    },
    /// The server broke the reliable mode's rules, and was not believed: see to the server.
    Protocol(Violation),
}

impl ClientError {
    pub(super) fn from_js(error: &JsValue) -> Self {
        let cause = || host::get(error, "cause");
        match host::text(error, "code").as_str() {
            "handler_failed" => Self::HandlerFailed { event: host::text(error, "event"), cause: cause() },
            "token_failed" => Self::TokenFailed { cause: cause() },
            _ => Self::BadFrame { text: host::text(error, "message"), frame: host::get(error, "frame").as_string() },
        }
    }

    /// The stable name that programs can test for.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadFrame { .. } => "bad_frame",
            Self::Undecodable { .. } => "undecodable",
            Self::HandlerFailed { .. } => "handler_failed",
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
            Self::HandlerFailed { event, .. } => write!(f, "a handler of \"{event}\" threw; the others still ran"),
            Self::TokenFailed { .. } => f.write_str("the token function failed"),
            Self::Protocol(violation) => write!(f, "the server broke the protocol: {}", violation.text()),
        }
    }
}

impl Error for ClientError {}
