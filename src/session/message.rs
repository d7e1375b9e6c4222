//! One message, and how far it has come.

use alloc::string::String;

use serde_json::Value;

/// How far one's own message has come. It moves forward only, except that a failed one can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChatStatus {
    /// It did not arrive, see [`ChatMessage::error`].
    Failed,
    /// It waits, or the server has not confirmed it.
    Sending,
    /// The server has it; at most once, and without an echo of the server, only that it was handed to the connection.
    Sent,
    /// Another user has it.
    Delivered,
    /// Another user has read it.
    Read,
}

impl ChatStatus {
    /// The name that the npm package has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatMessage {
    /// The sender's own id where there is one, else the server's, with a `'` behind it where another message of the list has that already, as after a
    /// server has given its ids again. Names the message in the list for good.
    pub id: String,
    /// The server's id; `None` where it is not known, and where another message has got it since.
    pub server_id: Option<String>,
    /// The text.
    pub content: String,
    /// Who wrote it, if that is known.
    pub sender_id: Option<String>,
    /// Whether this user wrote it, on whatever device.
    pub is_own: bool,
    /// Who speaks: `user`, `assistant`, or another word of the server's.
    pub role: String,
    /// When, in milliseconds since the epoch: by the server once it has said so, before that by this side's clock, corrected by the server's last pong.
    pub at: i64,
    /// `None` for messages of others.
    pub status: Option<ChatStatus>,
    /// Why it failed.
    pub error: Option<ChatFailure>,
    /// The server's payload of the message, with the `readAt` of a `message_read`; before there is one, the fields that it was written with; of one that is
    /// being written, the latest `message_delta`.
    pub data: Value,
}

/// Why a message failed.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatFailure {
    /// The stable name: `refused`, `unconfirmed`, or the client's own for what became of it.
    pub code: String,
    /// What the server said, if it was the server; of a message that the client did not take, its words for people as `message`; else `null`.
    pub cause: Value,
}
