//! Everything that a chat window shows.

use alloc::string::String;
use alloc::vec::Vec;

use super::message::ChatMessage;

/// Everything that a chat window shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatSnapshot {
    /// In the order of the server's times, those that are under way last. Each id once.
    pub messages: Vec<ChatMessage>,
    /// The members, this user included, as the server named them last; empty while there is no connection.
    pub members: Vec<ChatMember>,
    /// The other users who type, in the order in which they began.
    pub typing: Vec<String>,
    /// Whether this user types on another device, or in another tab.
    pub is_typing_elsewhere: bool,
    /// How many messages of others are not marked as read.
    pub unread: usize,
    /// Whether [`super::Chat::load_earlier`] may find more.
    pub has_earlier: bool,
    /// Whether a fetch is under way.
    pub is_loading: bool,
    /// `false` while messages may be missing between those that are there.
    pub is_complete: bool,
    /// Of a match: `pending`, `active`, `ended`, or another word of the server's.
    pub status: Option<String>,
    /// The server's latest refusal about this conversation.
    pub error: Option<ChatError>,
}

/// A member who is known to be there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMember {
    /// The user.
    pub user_id: String,
    /// Whether the user is connected, on any device.
    pub online: bool,
}

/// What a server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatError {
    /// For people.
    pub message: String,
    /// For programs.
    pub code: Option<String>,
}
