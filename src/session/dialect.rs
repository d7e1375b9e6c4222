//! The names of what a conversation sends, and how its messages are read and written.

use alloc::borrow::ToOwned;
use alloc::string::String;

use serde_json::{Map, Value, json};

use super::iso_time;

/// A session of MasterX, or a match of CoLabMatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// MasterX: `join_session`, `message_sent`, `message_received`.
    Session,
    /// CoLabMatch: `join_match`, `send_message`, `new_message`.
    Match,
}

impl ChatKind {
    /// Tells a match up to where this user has read.
    pub(crate) const READ: &'static str = "read_message";

    /// The field of a payload that names the conversation.
    pub(crate) const fn key(self) -> &'static str {
        self.choose("session_id", "match_id")
    }

    pub(crate) const fn join(self) -> &'static str {
        self.choose("join_session", "join_match")
    }

    /// A match has no event to leave it.
    pub(crate) const fn leave(self) -> Option<&'static str> {
        match self {
            Self::Session => Some("leave_session"),
            Self::Match => None,
        }
    }

    pub(super) const fn send(self) -> &'static str {
        self.choose("message_sent", "send_message")
    }

    pub(super) const fn typing(self) -> (&'static str, &'static str) {
        (self.choose("user_typing", "typing"), self.choose("isTyping", "is_typing"))
    }

    /// Whether an event of the server may say something about a conversation of this kind.
    #[cfg(feature = "web")]
    pub(crate) fn hears(self, event: &str) -> bool {
        let own: &[&str] = match self {
            Self::Session => &["message_received", "typing_indicator", "message_delta"],
            Self::Match => &[
                "new_message",
                "user_online_status",
                "user_typing",
                "typing_stopped",
                "message_read",
                "session_update",
            ],
        };
        ["error", "pong", "session_members"].contains(&event) || own.contains(&event)
    }

    const fn choose(self, session: &'static str, of_match: &'static str) -> &'static str {
        match self {
            Self::Session => session,
            Self::Match => of_match,
        }
    }

    /// Whether a member has written this message, who chooses its id.
    pub(super) fn is_id_chosen(self, stored: &StoredMessage) -> bool {
        self == Self::Session && stored.role == USER
    }

    /// The payload that sends a message. What the event itself has wins over further fields.
    pub(super) fn write_message(self, conversation: &str, id: &str, content: &str, fields: &Value) -> Value {
        let mut message = fields.as_object().cloned().unwrap_or_default();
        let mut set = |name: &str, value: &str| message.insert(name.to_owned(), Value::from(value));
        set("content", content);
        match self {
            Self::Session => {
                set("id", id);
                json!({ "session_id": conversation, "message": message })
            }
            Self::Match => {
                set("match_id", conversation);
                set("client_id", id);
                Value::Object(message)
            }
        }
    }

    /// Reads a message as a server tells it; `None` if it is none.
    pub(super) fn read_message(self, payload: &Value) -> Option<StoredMessage> {
        let fields = payload.as_object()?;
        let server_id = text(fields, "id").filter(|id| !id.is_empty())?;
        let content = text(fields, "content")?;
        let (sender, time) = match self {
            Self::Session => ("user_id", "timestamp"),
            Self::Match => ("senderId", "createdAt"),
        };
        let sender_id = text(fields, sender).filter(|id| !id.is_empty());
        if self == Self::Match && sender_id.is_none() {
            return None;
        }
        let client_id = match self {
            Self::Session => Some(server_id.clone()),
            Self::Match => text(fields, "clientId").filter(|id| !id.is_empty()),
        };
        Some(StoredMessage {
            server_id,
            client_id,
            content,
            sender_id,
            role: text(fields, "role").unwrap_or_else(|| USER.to_owned()),
            at: text(fields, time).and_then(|time| iso_time::parse(&time)),
            is_read: text(fields, "readAt").is_some(),
        })
    }
}

pub(super) const ASSISTANT: &str = "assistant";
/// The role of members.
pub(super) const USER: &str = "user";

/// A message as a server tells it.
pub(super) struct StoredMessage {
    pub server_id: String,
    /// The sender's own id, if the server knows it.
    pub client_id: Option<String>,
    pub content: String,
    pub sender_id: Option<String>,
    pub role: String,
    pub at: Option<i64>,
    pub is_read: bool,
}

pub(super) fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name)?.as_str().map(ToOwned::to_owned)
}
