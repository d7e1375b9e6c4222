//! How conversations are kept, and where their history comes from.

use std::fmt::Display;
use std::pin::Pin;
use std::rc::Rc;

use serde_json::Value;

use crate::session::{ChatConfig, ChatKind, TypingRule};

/// How a conversation is kept. The default has no history, and learns from the server who this user is.
#[derive(Clone, Default)]
pub struct ChatOptions {
    pub(super) user_id: Option<Rc<dyn Fn() -> Option<String>>>,
    pub(super) load_earlier: Option<Rc<Load<EarlierRequest>>>,
    pub(super) load_missed: Option<Rc<Load<MissedRequest>>>,
    page_size: Option<usize>,
    max_messages: Option<usize>,
    typing_rule: Option<TypingRule>,
}

/// Fetches a page of the history.
pub(super) type Load<R> = dyn Fn(R) -> Loading;

/// A page on its way.
pub(super) type Loading = Pin<Box<dyn Future<Output = Result<ChatPage, String>>>>;

/// Which page is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EarlierRequest {
    /// The session or match.
    pub id: String,
    /// Which of the two it is.
    pub kind: ChatKind,
    /// The server's id of the message that the page ends before; `None` asks for the newest page.
    pub before: Option<String>,
    /// How many messages the page should have at most.
    pub limit: usize,
}

/// What was missed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissedRequest {
    /// The session or match.
    pub id: String,
    /// Which of the two it is.
    pub kind: ChatKind,
    /// The server's id of the newest message that is there; `None` if there was none, or the server has lost its memory.
    pub after: Option<String>,
    /// How many messages the page should have at most.
    pub limit: usize,
}

/// A page of the history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatPage {
    /// In any order, as the server tells them in `message_received` (its `message`) and `new_message`. Others are passed over.
    pub messages: Vec<Value>,
    /// Whether there are more: before these, or after those that were missed.
    pub has_more: bool,
}

impl ChatOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says who this user is. Default: what the server says in `connected`, or in the echo of this user's first message. While it is not known, what the
    /// user has written on other devices counts as somebody else's.
    #[must_use]
    pub fn user_id(self, user_id: impl Into<String>) -> Self {
        let user_id = user_id.into();
        self.user_id_with(move || Some(user_id.clone()))
    }

    /// As [`user_id`](Self::user_id), asked when the conversation is entered and at every connection.
    #[must_use]
    pub fn user_id_with(mut self, user_id: impl Fn() -> Option<String> + 'static) -> Self {
        self.user_id = Some(Rc::new(user_id));
        self
    }

    /// Sets the most messages of the conversation. Default 1 000; 0 counts as 1. Beyond it the oldest are forgotten;
    /// [`ChatHandle::load_earlier`](super::ChatHandle::load_earlier) does not bring them back while the list is full.
    #[must_use]
    pub const fn max_messages(mut self, messages: usize) -> Self {
        self.max_messages = Some(messages);
        self
    }

    /// Sets how many messages a page should have. Default 50.
    #[must_use]
    pub const fn page_size(mut self, messages: usize) -> Self {
        self.page_size = Some(messages);
        self
    }

    /// Sets when to say that the user types, and for how long to believe it of others. Default: [`TypingRule::MASTERX`] in sessions,
    /// [`TypingRule::COLABMATCH`] in matches.
    #[must_use]
    pub const fn typing_rule(mut self, rule: TypingRule) -> Self {
        self.typing_rule = Some(rule);
        self
    }

    /// Fetches the page before a message. Called when the conversation is first joined, by [`ChatHandle::load_earlier`](super::ChatHandle::load_earlier),
    /// and, without [`load_missed`](Self::load_missed), to find what was missed. Default: none, and a conversation begins empty.
    #[must_use]
    pub fn load_earlier<F, E>(mut self, load: impl Fn(EarlierRequest) -> F + 'static) -> Self
    where
        F: Future<Output = Result<ChatPage, E>> + 'static,
        E: Display,
    {
        self.load_earlier = Some(boxed(load));
        self
    }

    /// Fetches what came after a message: after a connection was lost, at most once, and after [`ClientEvent::Gap`](super::super::ClientEvent::Gap) in
    /// the reliable mode. Called once the server has surely seen this side join, and after an error again after 1, 2, 4, … 30 s while connected. What an
    /// outage took away of the receipts of older messages only [`load_earlier`](Self::load_earlier) brings. Default: none; without
    /// [`load_earlier`](Self::load_earlier) either, [`is_complete`](crate::session::ChatSnapshot::is_complete) stays `false` once something was lost.
    #[must_use]
    pub fn load_missed<F, E>(mut self, load: impl Fn(MissedRequest) -> F + 'static) -> Self
    where
        F: Future<Output = Result<ChatPage, E>> + 'static,
        E: Display,
    {
        self.load_missed = Some(boxed(load));
        self
    }

    pub(super) fn config(&self) -> ChatConfig {
        ChatConfig {
            max_messages: self.max_messages.unwrap_or(ChatConfig::default().max_messages).max(1),
            can_load_earlier: self.load_earlier.is_some(),
            can_load_missed: self.load_missed.is_some(),
            typing_rule: self.typing_rule,
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.page_size.unwrap_or(PAGE_SIZE).max(1)
    }
}

impl std::fmt::Debug for ChatOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatOptions").field("config", &self.config()).finish_non_exhaustive()
    }
}

fn boxed<R: 'static, F, E>(load: impl Fn(R) -> F + 'static) -> Rc<Load<R>>
where
    F: Future<Output = Result<ChatPage, E>> + 'static,
    E: Display,
{
    Rc::new(move |request| {
        let page = load(request);
        Box::pin(async move { page.await.map_err(|error| error.to_string()) })
    })
}

const PAGE_SIZE: usize = 50;
