//! How a conversation is kept.

use super::TypingRule;

/// How a conversation is kept.
#[derive(Clone, Copy, Debug)]
pub struct ChatConfig {
    /// Most messages, from 1. Beyond it the oldest are forgotten, those under way last.
    pub max_messages: usize,
    /// Whether the application can fetch pages.
    pub can_load_earlier: bool,
    /// Whether the application can fetch what came after a message.
    pub can_load_missed: bool,
    /// `None`: [`TypingRule::MASTERX`] in sessions, [`TypingRule::COLABMATCH`] in matches.
    pub typing_rule: Option<TypingRule>,
}

impl Default for ChatConfig {
    fn default() -> Self {
        Self { max_messages: 1_000, can_load_earlier: false, can_load_missed: false, typing_rule: None }
    }
}
