//! One conversation.

mod arrivals;
mod events;
mod history;

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::TypingRule;
use super::announcer::Announcer;
use super::catch_up::CatchUp;
use super::config::ChatConfig;
use super::dialect::{ASSISTANT, ChatKind, USER, text};
use super::join::Join;
use super::members::Members;
use super::message::{ChatFailure, ChatMessage, ChatStatus};
use super::output::ChatOutput;
use super::receipt::Receipt;
use super::snapshot::{ChatError, ChatMember, ChatSnapshot};
use super::timeline::{Entry, Timeline};
use super::typists::Typists;

/// One conversation, see the [module](super).
#[derive(Debug)]
pub struct Chat {
    kind: ChatKind,
    id: String,
    outputs: VecDeque<ChatOutput>,
    user: Option<String>,
    timeline: Timeline,
    members: Members,
    typists: Typists,
    announcer: Announcer,
    status: Option<String>,
    error: Option<ChatError>,
    is_open: bool,
    has_opened: bool,
    is_reliable: bool,
    join: Join,
    catch_up: CatchUp,
    receipt: Receipt,
    /// What was told as read while a page that may not know of it is on its way.
    reads: Vec<Map<String, Value>>,
    /// The server's clock minus this one's.
    skew: i64,
}

impl Chat {
    /// An empty conversation that nobody uses.
    pub fn new(kind: ChatKind, id: impl Into<String>, config: ChatConfig) -> Self {
        let usual = match kind {
            ChatKind::Session => TypingRule::MASTERX,
            ChatKind::Match => TypingRule::COLABMATCH,
        };
        let rule = config.typing_rule.unwrap_or(usual);
        Self {
            kind,
            id: id.into(),
            outputs: VecDeque::new(),
            user: None,
            timeline: Timeline::new(config.max_messages),
            members: Members::default(),
            typists: Typists::new(rule.clear_ms),
            announcer: Announcer::new(rule),
            status: None,
            error: None,
            is_open: false,
            has_opened: false,
            is_reliable: false,
            join: Join::default(),
            catch_up: CatchUp::new(config),
            receipt: Receipt::default(),
            reads: Vec::new(),
            skew: 0,
        }
    }

    /// What is to be done next. Drained after every call.
    pub fn poll_output(&mut self) -> Option<ChatOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<i64> {
        let all = [self.announcer.poll_timeout(), self.catch_up.poll_timeout(), self.typists.poll_timeout()];
        all.into_iter().flatten().min()
    }

    /// The messages in their order.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &ChatMessage> + ExactSizeIterator {
        self.timeline.entries().iter().map(|entry| &entry.message)
    }

    /// Everything that a chat window shows.
    pub fn snapshot(&self) -> ChatSnapshot {
        let entries = self.timeline.entries();
        let has_written = |user: &str| entries.iter().any(|entry| entry.message.sender_id.as_deref() == Some(user));
        let is_known = |member: &&ChatMember| self.members.are_listed() || has_written(&member.user_id);
        let is_me = |user: &&String| self.user.as_ref() == Some(*user);
        let is_unread = |entry: &&Entry| !entry.message.is_own && entry.is_whole && !entry.is_read;
        ChatSnapshot {
            messages: self.messages().cloned().collect(),
            members: self.members.iter().filter(is_known).cloned().collect(),
            typing: self.typists.users().filter(|user| !is_me(user)).cloned().collect(),
            is_typing_elsewhere: self.typists.users().any(|user| is_me(&user)),
            unread: entries.iter().filter(is_unread).count(),
            has_earlier: self.has_earlier(),
            is_loading: self.catch_up.is_loading(),
            is_complete: self.catch_up.is_complete(),
            status: self.status.clone(),
            error: self.error.clone(),
        }
    }

    /// Whether something of the user would be lost with this: a message that is under way, or has failed.
    pub fn is_pending(&self) -> bool {
        let is_pending = |message: &ChatMessage| message.status.is_some_and(|status| status <= ChatStatus::Sending);
        self.messages().any(is_pending)
    }

    /// Somebody uses the conversation.
    pub fn enter(&mut self) {
        self.emit(self.kind.join(), Map::new());
    }

    /// Nobody uses it any more.
    pub fn leave(&mut self) {
        self.stopped();
        if let Some(leave) = self.kind.leave() {
            self.emit(leave, Map::new());
        }
        self.handle_close();
        if self.has_opened {
            self.miss();
            self.fetch_at(0);
        }
    }

    /// A connection is open, of the reliable mode or not, and the join is on its way.
    pub fn handle_open(&mut self, now: i64, is_reliable: bool) {
        let is_first = !self.has_opened;
        // Only a reliable connection after another goes on where that one ended.
        let goes_on = self.is_reliable && is_reliable;
        (self.is_open, self.has_opened) = (true, true);
        self.is_reliable = is_reliable;
        self.error = None;
        self.join.begin();
        self.catch_up.handle_open();
        if self.catch_up.is_needed() || (!is_first && !goes_on) {
            if !is_first && !goes_on {
                self.miss();
            }
            self.fetch_after_join(now);
        }
        if let Some(server_id) = self.receipt.take_doubtful() {
            self.tell_read(server_id);
        }
    }

    /// The join was handed to the client, or the server has taken it: in the reliable mode by an acknowledgement, at most once when it was sent.
    pub fn handle_join(&mut self, now: i64, is_taken: bool) {
        self.join.set_waiting(!is_taken);
        self.answered(now);
    }

    /// The connection has ended.
    pub fn handle_close(&mut self) {
        if self.is_open && !self.is_reliable {
            self.receipt.doubt();
        }
        self.is_open = false;
        self.join.end();
        self.catch_up.suspend();
        self.announcer.forget();
        self.members.clear();
        self.typists.clear();
        // Parts are not sent again.
        self.timeline.retain(|entry| entry.is_whole);
        if !self.is_reliable {
            self.doubt();
        }
    }

    /// Events are lost for good.
    pub fn handle_gap(&mut self, now: i64) {
        self.miss();
        self.fetch_at(now);
    }

    /// The server has lost its memory and counts anew: its ids may name other messages than before.
    pub fn handle_reset(&mut self, now: i64) {
        self.receipt.forget();
        self.timeline.mark_stale();
        // Every stream tells of it.
        if !(self.catch_up.is_reset() && self.join.is_asking()) {
            self.doubt();
            self.catch_up.reset();
            self.reads.clear();
            self.miss();
            self.fetch_after_join(now);
        }
    }

    /// It is known who this user is.
    pub fn set_user(&mut self, user: &str) {
        if self.user.as_deref() == Some(user) {
            return;
        }
        self.user = Some(user.to_owned());
        for Entry { message, .. } in self.timeline.entries_mut() {
            if message.is_own && (message.sender_id.is_none() || message.server_id.is_none()) {
                message.sender_id = Some(user.to_owned());
            } else if !message.is_own && message.sender_id.as_deref() == Some(user) && message.role != ASSISTANT {
                message.is_own = true;
                message.status = Some(stored_status(message.data["readAt"].is_string()));
            }
        }
    }

    /// This user has written a message, under an id of its own, with further fields of its payload.
    pub fn write(&mut self, now: i64, id: &str, content: &str, fields: Value) {
        if self.timeline.find(id).is_some() {
            return;
        }
        self.stopped();
        self.timeline.add(ChatMessage {
            id: id.to_owned(),
            server_id: None,
            content: content.to_owned(),
            sender_id: self.user.clone(),
            is_own: true,
            role: fields["role"].as_str().unwrap_or(USER).to_owned(),
            at: now + self.skew,
            status: Some(ChatStatus::Sending),
            error: None,
            data: fields,
        });
        self.order();
        self.submit(id);
    }

    /// Sends a failed message again, under the same id. Others are left alone.
    pub fn retry(&mut self, now: i64, id: &str) {
        if self.timeline.renew(id, now + self.skew) {
            self.order();
            self.submit(id);
        }
    }

    /// Takes a failed message out. Others are left alone.
    pub fn discard(&mut self, id: &str) {
        let is_discarded = |message: &ChatMessage| message.id == id && message.status == Some(ChatStatus::Failed);
        self.timeline.retain(|entry| !is_discarded(&entry.message));
    }

    /// The client knows more of what became of a message.
    pub fn handle_status(&mut self, id: &str, status: ChatStatus) {
        if self.timeline.find(id).is_some_and(|entry| entry.message.status != Some(ChatStatus::Failed)) {
            // In a match the server tells when.
            if self.timeline.advance(id, status) && self.kind == ChatKind::Session {
                self.timeline.place(id);
            }
            self.order();
        }
    }

    /// The server has acknowledged a message.
    pub fn handle_acknowledgement(&mut self, id: &str) {
        self.handle_status(id, ChatStatus::Sent);
        // The sender's id is the server's in sessions.
        if self.kind == ChatKind::Session
            && let Some(entry) = self.timeline.find(id)
            && entry.message.is_own
            && entry.message.status != Some(ChatStatus::Failed)
        {
            entry.message.server_id = Some(id.to_owned());
        }
    }

    /// A message did not arrive. What the server refused is told as `refused`.
    pub fn handle_failure(&mut self, id: &str, failure: ChatFailure) {
        let Some(entry) = self.timeline.find(id) else { return };
        if !entry.message.is_own || entry.message.status == Some(ChatStatus::Failed) {
            return;
        }
        let refusal = (failure.code == "refused").then(|| failure.cause.clone());
        self.timeline.fail(id, failure);
        if let Some(Value::Object(data)) = refusal {
            self.complain(&data);
        }
        self.order();
    }

    /// The user has pressed a key.
    pub fn key_pressed(&mut self, now: i64) {
        if self.is_open {
            let news = self.announcer.key_pressed(now);
            self.announce(news);
        }
    }

    /// The user has stopped typing.
    pub fn stopped(&mut self) {
        let news = self.announcer.stopped();
        self.announce(news);
    }

    /// The user has seen the messages up to this one, or all. Only ever moves forward.
    pub fn mark_as_read(&mut self, id: Option<&str>) {
        let entries = self.timeline.entries();
        let upto = match id {
            None => entries.len(),
            Some(id) => entries.iter().position(|entry| entry.message.id == id).map_or(0, |index| index + 1),
        };
        let is_other = |entry: &Entry| !entry.message.is_own && entry.is_whole;
        let last = entries[..upto].iter().rfind(|entry| is_other(entry) && entry.is_known());
        // What is read already was told, by this side or another.
        let told = last.filter(|last| !last.is_read && self.kind == ChatKind::Match);
        if let Some(server_id) = told.and_then(|last| last.message.server_id.clone()) {
            self.tell_read(server_id);
        }
        for entry in self.timeline.entries_mut()[..upto].iter_mut().filter(|entry| is_other(entry)) {
            entry.is_read = true;
        }
    }

    /// The alarm has gone off. Early and late calls are harmless.
    pub fn handle_timeout(&mut self, now: i64) {
        let news = self.announcer.handle_timeout(now);
        self.announce(news);
        self.typists.handle_timeout(now);
        self.outputs.extend(self.catch_up.handle_timeout(now));
    }

    fn emit(&mut self, event: &'static str, mut data: Map<String, Value>) {
        data.insert(self.kind.key().to_owned(), Value::from(self.id.as_str()));
        self.outputs.push_back(ChatOutput::Send { event, data: Value::Object(data), id: None });
    }

    fn submit(&mut self, id: &str) {
        let Some(entry) = self.timeline.find(id) else { return };
        let data = self.kind.write_message(&self.id, id, &entry.message.content, &entry.message.data);
        self.outputs.push_back(ChatOutput::Send { event: self.kind.send(), data, id: Some(id.to_owned()) });
    }

    fn tell_read(&mut self, server_id: String) {
        self.receipt.tell(&server_id);
        let mut data = Map::new();
        data.insert("message_id".to_owned(), server_id.into());
        self.emit(ChatKind::READ, data);
    }

    fn announce(&mut self, news: Option<bool>) {
        let Some(is_typing) = news else { return };
        let (event, field) = self.kind.typing();
        let mut data = Map::new();
        data.insert(field.to_owned(), Value::from(is_typing));
        self.emit(event, data);
    }

    /// Whether a match has what it has not shown is not known. In a session the acknowledgement says so.
    fn doubt(&mut self) {
        if self.kind == ChatKind::Match {
            self.timeline.doubt();
        }
    }

    fn order(&mut self) {
        self.timeline.order();
        if self.timeline.take_has_forgotten() {
            self.catch_up.handle_forgotten();
        }
    }

    fn answered(&mut self, now: i64) {
        if self.join.is_answered(self.is_reliable) {
            self.join_seen(now);
        }
    }

    fn join_seen(&mut self, now: i64) {
        self.join.see();
        self.catch_up.handle_join_seen(now);
    }

    fn complain(&mut self, data: &Map<String, Value>) {
        if let Some(message) = text(data, "message") {
            self.error = Some(ChatError { message, code: text(data, "code") });
        }
    }

    /// Something may be missing from here on.
    fn miss(&mut self) {
        self.timeline.interrupt();
        self.catch_up.miss(self.timeline.newest_known());
    }

    /// Fetches at a time what is to be fetched. Says whether there is a connection, and the application can fetch anything.
    fn fetch_at(&mut self, at: i64) -> bool {
        self.catch_up.restart();
        self.is_open && self.catch_up.schedule(at)
    }

    /// The same once the server has seen the join, for which it is asked, or has not answered in time.
    fn fetch_after_join(&mut self, now: i64) {
        if self.fetch_at(now + JOIN_MS) {
            for _ in 0..self.join.ask(self.is_reliable) {
                self.outputs.push_back(ChatOutput::Send { event: "ping", data: json!({}), id: None });
            }
        }
    }

    fn has_earlier(&self) -> bool {
        self.has_opened && !self.timeline.is_full() && self.catch_up.has_earlier()
    }
}

const fn stored_status(is_read: bool) -> ChatStatus {
    if is_read { ChatStatus::Read } else { ChatStatus::Sent }
}

/// How long the server's answer to the join is waited for.
const JOIN_MS: i64 = 3_000;
