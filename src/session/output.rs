//! What a conversation asks for.

use alloc::string::String;

use serde_json::Value;

/// What a conversation asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatOutput {
    /// Send an event.
    Send {
        /// Its name.
        event: &'static str,
        /// Its payload.
        data: Value,
        /// The message that is in it, whose status [`super::Chat::handle_status`] wants to know.
        id: Option<String>,
    },
    /// Fetch the page before a message, the newest page without one, and answer with [`super::Chat::handle_page`] or
    /// [`super::Chat::handle_fetch_failure`].
    LoadEarlier {
        /// Names the fetch in the answer.
        token: u64,
        /// The server's id.
        before: Option<String>,
    },
    /// Fetch what came after a message, and answer likewise.
    LoadMissed {
        /// Names the fetch in the answer.
        token: u64,
        /// The server's id.
        after: Option<String>,
    },
}
