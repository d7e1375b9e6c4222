//! What the page and its server say to each other.

use serde::{Deserialize, Serialize};

/// Enters a room; the client enters it again after every reconnect, before anything else.
#[derive(Serialize)]
pub struct Join {
    /// The room.
    pub session_id: String,
}
everwire::event!(Join = "join_session");

/// A message to the others in the room.
#[derive(Serialize)]
pub struct Say {
    /// The room.
    pub session_id: String,
    /// The message.
    pub message: Message,
}
everwire::event!(Say = "message_sent");

/// A message of another person.
#[derive(Deserialize)]
pub struct Said {
    /// The message.
    pub message: Message,
}
everwire::event!(Said = "message_received");

/// A message.
#[derive(Clone, Serialize, Deserialize)]
pub struct Message {
    /// The id that its sender gave it.
    pub id: String,
    /// The text.
    pub content: String,
    /// Who wrote it, where the server says so.
    #[serde(default, rename = "user_id", skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// This user types, or has stopped.
#[derive(Serialize)]
pub struct Type {
    /// The room.
    pub session_id: String,
    /// Whether the user types.
    #[serde(rename = "isTyping")]
    pub is_typing: bool,
}
everwire::event!(Type = "user_typing");

/// Another person types, or has stopped.
#[derive(Deserialize)]
pub struct Types {
    /// Who.
    pub user_id: String,
    /// Whether they type.
    #[serde(rename = "isTyping")]
    pub is_typing: bool,
}
everwire::event!(Types = "typing_indicator");

/// The server could not do what was asked.
#[derive(Deserialize)]
pub struct Refusal {
    /// Why, for people.
    pub message: String,
}
everwire::event!(Refusal = "error");
