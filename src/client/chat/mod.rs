//! Conversations: what a chat window shows, kept true by a client.

mod clock;
mod fetches;
mod options;
mod registry;
mod store;
mod tracking;

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use serde_json::{Value, json};

use super::Client;
use crate::session::{ChatError, ChatKind, ChatSnapshot};

pub use options::{ChatOptions, ChatPage, EarlierRequest, MissedRequest};
pub(super) use registry::Chats;
use store::Store;

impl Client {
    /// The conversation in a session of MasterX: messages and how far they have come, members, who types, unread messages, pages of the history. Needs
    /// the feature `json`.
    ///
    /// ```no_run
    /// use everwire::client::{ChatOptions, ChatSnapshots, Client};
    /// use futures_util::StreamExt;
    /// use wasm_bindgen_futures::spawn_local;
    ///
    /// # fn show(_: &str) {}
    /// fn lesson(client: &Client) {
    ///     let chat = client.session_chat("algebra", ChatOptions::new());
    ///     chat.send("hello");
    ///     spawn_local(follow(chat.snapshots()));
    /// }
    ///
    /// async fn follow(mut snapshots: ChatSnapshots) {
    ///     while let Some(snapshot) = snapshots.next().await {
    ///         for message in &snapshot.messages {
    ///             show(&message.content);
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// The session is joined with the first [`ChatHandle`] or stream of it, and left a macrotask after the last is dropped. All of one id show the same;
    /// the options are those of the first, as long as one is there or a message is not sent. None keeps the client: with its last handle the
    /// streams end, and what is written then fails with the code `disposed`. On a server, the conversation stays empty, and nothing that is done to it has
    /// an effect.
    pub fn session_chat(&self, id: impl AsRef<str>, options: ChatOptions) -> ChatHandle {
        self.chat(ChatKind::Session, id.as_ref(), options)
    }

    /// The conversation in a match of CoLabMatch, as [`session_chat`](Self::session_chat). A match has no event to leave it: when it is not used any more,
    /// nothing is said.
    pub fn match_chat(&self, id: impl AsRef<str>, options: ChatOptions) -> ChatHandle {
        self.chat(ChatKind::Match, id.as_ref(), options)
    }

    fn chat(&self, kind: ChatKind, id: &str, options: ChatOptions) -> ChatHandle {
        ChatHandle::new(match self.host() {
            Some(host) => host.dispatcher().chats().of(kind, id, host, options),
            None => Store::new(kind, id, None, options),
        })
    }
}

/// A use of a conversation: see [`Client::session_chat`] and [`Client::match_chat`]. Clones are further uses of the same.
#[must_use = "dropping the last handle leaves the conversation"]
pub struct ChatHandle(Rc<Store>);

impl ChatHandle {
    fn new(store: Rc<Store>) -> Self {
        store.enter();
        Self(store)
    }

    /// The session or match.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.id()
    }

    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> ChatKind {
        self.0.kind()
    }

    /// Everything that a chat window shows. The same allocation until something has changed.
    #[must_use]
    pub fn snapshot(&self) -> Arc<ChatSnapshot> {
        self.0.snapshot()
    }

    /// The [`snapshot`](Self::snapshot) of now, and then each that differs. A task that is slow gets the latest and misses those between. The stream is a
    /// use of its own. It ends when the last handle of the client is gone; on a server, after the one snapshot that there is.
    pub fn snapshots(&self) -> ChatSnapshots {
        ChatSnapshots { chat: self.clone(), shown: None, number: self.0.changes().number() }
    }

    /// Writes a message, which is shown at once as [`Sending`](crate::session::ChatStatus::Sending), and returns its id. It is sent now, or when there is a
    /// connection. One that is not accepted is shown as [`Failed`](crate::session::ChatStatus::Failed), with the reason.
    pub fn send(&self, content: &str) -> String {
        self.send_with(content, json!({}))
    }

    /// As [`send`](Self::send), with further fields of the message, a JSON object. What the event itself has wins over them.
    pub fn send_with(&self, content: &str, fields: Value) -> String {
        self.0.send(content, fields)
    }

    /// Sends a failed message again, under the same id. Others are left alone.
    pub fn retry(&self, id: &str) {
        self.0.act(|machine, now| machine.retry(now, id));
    }

    /// Takes a failed message out. Others are left alone.
    pub fn discard(&self, id: &str) {
        self.0.act(|machine, _| machine.discard(id));
    }

    /// The user has pressed a key: tells the others as the [rule](ChatOptions::typing_rule) says, and that the user has stopped when no key follows.
    pub fn key_pressed(&self) {
        self.0.act(|machine, now| machine.key_pressed(now));
    }

    /// The user has stopped typing, as when the input was left. [`send`](Self::send) says so by itself.
    pub fn stopped(&self) {
        self.0.act(|machine, _| machine.stopped());
    }

    /// The user has seen all messages. Only ever moves forward; in a match, the others are told.
    pub fn mark_as_read(&self) {
        self.0.act(|machine, _| machine.mark_as_read(None));
    }

    /// The user has seen the messages up to this one. Only ever moves forward; in a match, the others are told.
    pub fn mark_as_read_up_to(&self, id: &str) {
        self.0.act(|machine, _| machine.mark_as_read(Some(id)));
    }

    /// Fetches the page before the oldest message, and waits until it is shown, also where such a fetch is under way. Until the newest page is there,
    /// which is fetched by itself and after an error again after 1, 2, 4, … 30 s, it is that page, at once if there is a connection. Else does nothing where
    /// [`has_earlier`](ChatSnapshot::has_earlier) is `false`.
    ///
    /// # Errors
    ///
    /// What [`ChatOptions::load_earlier`] has failed with, under the code `load_failed`. An earlier page is not tried again by itself.
    pub async fn load_earlier(&self) -> Result<(), ChatError> {
        self.0.load_earlier().await
    }
}

/// Of the same conversation on the same client.
impl PartialEq for ChatHandle {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ChatHandle {}

impl Clone for ChatHandle {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl Drop for ChatHandle {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl std::fmt::Debug for ChatHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatHandle").field("kind", &self.kind()).field("id", &self.id()).finish_non_exhaustive()
    }
}

/// A stream of what a chat window shows: see [`ChatHandle::snapshots`].
#[must_use = "dropping a stream ends its use of the conversation"]
pub struct ChatSnapshots {
    chat: ChatHandle,
    shown: Option<Arc<ChatSnapshot>>,
    /// What its waker is kept under.
    number: u64,
}

impl Stream for ChatSnapshots {
    type Item = Arc<ChatSnapshot>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let snapshot = self.chat.snapshot();
        if !self.shown.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, &snapshot)) {
            self.shown = Some(snapshot.clone());
            return Poll::Ready(Some(snapshot));
        }
        if self.chat.0.is_over() {
            return Poll::Ready(None);
        }
        self.chat.0.changes().keep(self.number, context.waker().clone());
        Poll::Pending
    }
}

impl FusedStream for ChatSnapshots {
    fn is_terminated(&self) -> bool {
        let is_shown = |shown: &Arc<ChatSnapshot>| Arc::ptr_eq(shown, &self.chat.snapshot());
        self.chat.0.is_over() && self.shown.as_ref().is_some_and(is_shown)
    }
}

impl Drop for ChatSnapshots {
    fn drop(&mut self) {
        self.chat.0.changes().forget(self.number);
    }
}

impl std::fmt::Debug for ChatSnapshots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatSnapshots").field("chat", &self.chat).finish_non_exhaustive()
    }
}
