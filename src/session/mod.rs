//! What a chat window shows, as a pure state machine: messages and how far they have come, members, who types, unread messages, receipts, pages of the
//! history, and what was missed.
//!
//! [`Chat`] has neither clock nor I/O. Facts go in with the time in milliseconds since the epoch, such as [`Chat::handle_event`]; what is to be done comes out of
//! [`Chat::poll_output`], and the one alarm is armed from [`Chat::poll_timeout`]. The same scenarios, `docs/vectors/session`, bind it and the one of the npm package.
//! It needs the feature `json`.
//!
//! ```
//! use everwire::session::{Chat, ChatConfig, ChatKind, ChatOutput, ChatStatus};
//! use serde_json::json;
//!
//! let mut chat = Chat::new(ChatKind::Match, "m1", ChatConfig::default());
//! chat.enter();
//! chat.handle_open(1_000, false);
//! chat.write(1_000, "c1", "hello", json!({}));
//! while let Some(output) = chat.poll_output() {
//!     if let ChatOutput::Send { event, data, .. } = output {
//!         println!("{event} {data}");
//!     }
//! }
//! assert_eq!(chat.messages().next().map(|message| message.status), Some(Some(ChatStatus::Sending)));
//! ```

mod announcer;
mod catch_up;
mod chat;
mod config;
mod dialect;
mod iso_time;
mod join;
mod members;
mod message;
mod output;
mod receipt;
mod snapshot;
mod timeline;
mod typists;

pub use chat::Chat;
pub use config::ChatConfig;
pub use dialect::ChatKind;
pub use message::{ChatFailure, ChatMessage, ChatStatus};
pub use output::ChatOutput;
pub use snapshot::{ChatError, ChatMember, ChatSnapshot};

/// When to say that a user types, and for how long to believe it. All times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypingRule {
    /// How long to wait after the first key before saying so; with 0 it is said at once.
    pub debounce_ms: i64,
    /// How long after having said so it is said again, if keys were pressed since.
    pub repeat_ms: i64,
    /// How long after the last key the user has stopped.
    pub stop_ms: i64,
    /// How long another user is believed to type who was not heard of since.
    pub clear_ms: i64,
}

impl TypingRule {
    /// Typing in CoLabMatch: said at once.
    pub const COLABMATCH: Self = Self { debounce_ms: 0, repeat_ms: 1_500, stop_ms: 2_000, clear_ms: 3_000 };
    /// Typing in MasterX: said after 300 ms, so that a single key or a message that is sent quickly shows nothing.
    pub const MASTERX: Self = Self { debounce_ms: 300, ..Self::COLABMATCH };
}
