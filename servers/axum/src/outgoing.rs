//! A frame on its way to clients.

use std::time::Instant;

use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// A frame with what the metrics want to know. A clone shares the bytes.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(crate) frame: Message,
    pub(crate) kind: Kind,
    pub(crate) queued_at: Instant,
}

/// The type of an event as a label: one of the catalogues' or "other", so that pushed types cannot multiply metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(u8);

impl Kind {
    /// The label of a type that the server sends.
    pub fn sent(name: &str) -> Self {
        let index = SENT.iter().position(|known| *known == name).unwrap_or(SENT.len() - 1);
        Self(index as u8)
    }

    /// The position in [`SENT`].
    pub fn index(self) -> usize {
        self.0.into()
    }
}

impl Outgoing {
    /// A text frame of this type.
    #[must_use]
    pub fn text(kind: &str, text: String) -> Self {
        Self::raw(Message::Text(Utf8Bytes::from(text)), Kind::sent(kind))
    }

    /// A frame that need not be an envelope.
    #[must_use]
    pub fn raw(frame: Message, kind: Kind) -> Self {
        Self { frame, kind, queued_at: Instant::now() }
    }

    /// The frame itself.
    #[must_use]
    pub fn frame(&self) -> &Message {
        &self.frame
    }

    /// Bytes of payload.
    pub(crate) fn len(&self) -> usize {
        self.frame.len()
    }
}

/// Types that the server sends; the last stands for all others.
pub const SENT: [&str; 23] = [
    "pong",
    "echo",
    "error",
    "typing_indicator",
    "message_received",
    "emotion_update",
    "session_members",
    "message_delta",
    "session_update",
    "notification",
    "connected",
    "new_message",
    "user_typing",
    "typing_stopped",
    "user_online_status",
    "message_read",
    "welcome",
    "ack",
    "stream",
    "reply",
    "receipt",
    "raw",
    "other",
];

/// Types that clients send; the last stands for all others.
pub const RECEIVED: [&str; 13] = [
    "ping",
    "echo",
    "join_session",
    "leave_session",
    "user_typing",
    "message_sent",
    "join_match",
    "send_message",
    "typing",
    "read_message",
    "hello",
    "malformed",
    "other",
];
