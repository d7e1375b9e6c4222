//! One conversation.

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::TypingRule;
use super::announcer::Announcer;
use super::dialect::{ChatKind, StoredMessage, text};
use super::iso_time;
use super::message::{ChatFailure, ChatMessage, ChatStatus};
use super::snapshot::{ChatError, ChatMember, ChatSnapshot};

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

/// What a conversation asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatOutput {
    /// Send an event.
    Send {
        /// Its name.
        event: &'static str,
        /// Its payload.
        data: Value,
        /// The message that is in it, whose status [`Chat::handle_status`] wants to know.
        id: Option<String>,
    },
    /// Fetch the page before a message, the newest page without one, and answer with [`Chat::handle_page`] or [`Chat::handle_fetch_failure`].
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

/// One conversation, see the [module](super).
#[derive(Debug)]
pub struct Chat {
    kind: ChatKind,
    id: String,
    config: ChatConfig,
    /// How long another user is believed to type, in milliseconds.
    clear_ms: i64,
    outputs: VecDeque<ChatOutput>,
    user: Option<String>,
    entries: Vec<Entry>,
    members: Vec<ChatMember>,
    are_members_listed: bool,
    /// The users who type, and until when that is believed.
    typing: Vec<(String, i64)>,
    status: Option<String>,
    error: Option<ChatError>,
    is_join_refused: bool,
    is_open: bool,
    has_opened: bool,
    is_reliable: bool,
    is_joining: bool,
    /// The server's clock minus this one's.
    skew: i64,
    newest: i64,
    oldest: i64,
    need: Need,
    is_complete: bool,
    may_have_earlier: bool,
    /// The first message of the pages, if it is not the oldest: one's own that was sent again may be older, and others between.
    begin: Option<String>,
    /// The newest message before which nothing is missing: its id and its place.
    known: Option<KnownUpTo>,
    /// Where a fetch of several pages goes on.
    cursor: Option<String>,
    fetched: usize,
    token: u64,
    refetch: Option<u64>,
    earlier: Option<u64>,
    fetch_at: Option<i64>,
    retry_ms: i64,
    /// How many pongs must come before the server has surely seen this side join.
    pongs: u8,
    /// Whether the pings are out and it is not sure yet.
    is_asking: bool,
    /// Whether the join waits until the server takes it, as any message of the reliable mode.
    is_join_waiting: bool,
    /// Whether the server has seen this side join.
    is_join_seen: bool,
    /// What was fetched before it had, and from where: to be fetched once more.
    again: Option<(Need, Option<KnownUpTo>)>,
    announcer: Announcer,
}

/// The server's id and the time of a message before which nothing is missing.
type KnownUpTo = (Option<String>, Key);

/// What has to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    History,
    Missed,
}

/// Where a message stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    At(i64),
    /// Under way, or the server will tell.
    Pending,
}

#[derive(Debug)]
struct Entry {
    message: ChatMessage,
    key: Key,
    /// Orders messages of the same time: the server's id if it is a number.
    rank: u64,
    /// Orders the rest: in the order of arrival.
    seq: i64,
    /// Whether the server has shown it.
    is_stored: bool,
    /// Whether it is all there; what is being written is not.
    is_whole: bool,
    /// Whether it was handed to a connection that has ended, at most once.
    is_in_doubt: bool,
    is_read: bool,
}

impl Entry {
    const fn place(&self) -> (Key, u64, i64) {
        (self.key, self.rank, self.seq)
    }

    fn is_same_sender(&self, sender: Option<&str>) -> bool {
        let known = self.message.sender_id.as_deref();
        known.is_none() || sender.is_none() || known == sender
    }
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
            clear_ms: rule.clear_ms,
            outputs: VecDeque::new(),
            user: None,
            entries: Vec::new(),
            members: Vec::new(),
            are_members_listed: false,
            typing: Vec::new(),
            status: None,
            error: None,
            is_join_refused: false,
            is_open: false,
            has_opened: false,
            is_reliable: false,
            is_joining: false,
            skew: 0,
            newest: 0,
            oldest: 0,
            need: if config.can_load_earlier { Need::History } else { Need::Nothing },
            is_complete: true,
            may_have_earlier: config.can_load_earlier,
            begin: None,
            config,
            known: None,
            cursor: None,
            fetched: 0,
            token: 0,
            refetch: None,
            earlier: None,
            fetch_at: None,
            retry_ms: RETRY_MS,
            pongs: 0,
            is_asking: false,
            is_join_waiting: false,
            is_join_seen: false,
            again: None,
            announcer: Announcer::new(rule),
        }
    }

    /// What is to be done next. Drained after every call.
    pub fn poll_output(&mut self) -> Option<ChatOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<i64> {
        let typing = self.typing.iter().map(|(_, until)| *until);
        [self.announcer.poll_timeout(), self.fetch_at].into_iter().flatten().chain(typing).min()
    }

    /// The messages in their order.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &ChatMessage> + ExactSizeIterator {
        self.entries.iter().map(|entry| &entry.message)
    }

    /// Everything that a chat window shows.
    pub fn snapshot(&self) -> ChatSnapshot {
        let has_written =
            |user: &str| self.entries.iter().any(|entry| entry.message.sender_id.as_deref() == Some(user));
        let is_known = |member: &&ChatMember| self.are_members_listed || has_written(&member.user_id);
        let is_me = |user: &String| self.user.as_ref() == Some(user);
        let is_unread = |entry: &&Entry| !entry.message.is_own && entry.is_whole && !entry.is_read;
        ChatSnapshot {
            messages: self.messages().cloned().collect(),
            members: self.members.iter().filter(is_known).cloned().collect(),
            typing: self.typing.iter().map(|(user, _)| user).filter(|user| !is_me(user)).cloned().collect(),
            is_typing_elsewhere: self.typing.iter().any(|(user, _)| is_me(user)),
            unread: self.entries.iter().filter(is_unread).count(),
            has_earlier: self.has_earlier(),
            is_loading: self.earlier.is_some() || self.refetch.is_some(),
            is_complete: self.is_complete,
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
            self.lost(0, false, false);
        }
    }

    /// A connection is open, of the reliable mode or not, and the join is on its way.
    pub fn handle_open(&mut self, now: i64, is_reliable: bool) {
        let is_first = !self.has_opened;
        // Only a reliable connection after another goes on where that one ended.
        let goes_on = self.is_reliable && is_reliable;
        (self.is_open, self.has_opened, self.is_joining) = (true, true, true);
        self.is_reliable = is_reliable;
        self.error = None;
        self.retry_ms = RETRY_MS;
        self.fetch_again();
        if self.need != Need::Nothing || (!is_first && !goes_on) {
            self.lost(now, true, is_first);
        }
    }

    /// The join was handed to the client, or the server has taken it: in the reliable mode by an acknowledgement, at most once when it was sent.
    pub fn handle_join(&mut self, now: i64, is_taken: bool) {
        self.is_join_waiting = !is_taken;
        self.answered(now);
    }

    /// The connection has ended.
    pub fn handle_close(&mut self) {
        (self.is_open, self.is_joining, self.fetch_at) = (false, false, None);
        self.announcer.forget();
        (self.pongs, self.is_asking) = (0, false);
        self.members.clear();
        self.are_members_listed = false;
        self.typing.clear();
        // Parts are not sent again.
        self.entries.retain(|entry| entry.is_whole);
        if !self.is_reliable && self.kind == ChatKind::Match {
            for entry in &mut self.entries {
                entry.is_in_doubt |= entry.message.status == Some(ChatStatus::Sent) && !entry.is_stored;
            }
        }
    }

    /// Events are lost for good.
    pub fn handle_gap(&mut self, now: i64) {
        self.lost(now, false, false);
    }

    /// It is known who this user is.
    pub fn set_user(&mut self, user: &str) {
        if self.user.as_deref() == Some(user) {
            return;
        }
        self.user = Some(user.to_owned());
        for Entry { message, .. } in &mut self.entries {
            if message.is_own && message.sender_id.is_none() {
                message.sender_id = Some(user.to_owned());
            } else if !message.is_own && message.sender_id.as_deref() == Some(user) && message.role != ASSISTANT {
                message.is_own = true;
                message.status = Some(stored_status(message.data["readAt"].is_string()));
            }
        }
    }

    /// Something came from the server, about whatever.
    pub fn handle_event(&mut self, now: i64, event: &str, payload: &Value) {
        let empty = Map::new();
        let data = payload.as_object().unwrap_or(&empty);
        let names = |fields: &Map<String, Value>, key: &str| fields.get(key).and_then(Value::as_str) == Some(&self.id);
        let may_name = |fields: &Map<String, Value>, key: &str| {
            fields.get(key).is_none_or(|value| value.is_null() || value.as_str() == Some(&self.id))
        };
        let key = self.kind.key();
        let user = text(data, "user_id").filter(|user| !user.is_empty());
        match (self.kind, event) {
            (_, "error") if may_name(data, key) => self.refused(data),
            (_, "pong") => self.pong(now, data),
            (_, "session_members") if names(data, "session_id") => self.members_named(now, data),
            (ChatKind::Session, "message_received") => {
                let message = data.get("message").and_then(Value::as_object).unwrap_or(&empty);
                if may_name(message, key) {
                    self.arrived(now, &[Value::Object(message.clone())], None, false);
                }
            }
            (ChatKind::Session, "typing_indicator") if may_name(data, key) => {
                self.heard(now, user, data.get("isTyping") == Some(&Value::Bool(true)));
            }
            (ChatKind::Session, "message_delta") if names(data, key) => self.written(now, data),
            (ChatKind::Match, "new_message") if names(data, "matchId") => {
                self.arrived(now, core::slice::from_ref(payload), None, false);
            }
            (ChatKind::Match, "user_online_status") => {
                let is_known = |user: &String| self.members.iter().any(|member| member.user_id == *user);
                if let Some(user) = user.filter(|user| !self.are_members_listed || is_known(user)) {
                    set_presence(&mut self.members, user, data.get("online") == Some(&Value::Bool(true)));
                }
            }
            (ChatKind::Match, "user_typing" | "typing_stopped") if names(data, key) => {
                self.heard(now, user, event == "user_typing");
            }
            (ChatKind::Match, "message_read") if names(data, key) => {
                if let Some(id) = text(data, "message_id") {
                    self.read(&id, data.get("up_to") == Some(&Value::Bool(true)));
                }
            }
            (ChatKind::Match, "session_update") if names(data, key) => {
                if let Some(status) = text(data, "status").filter(|status| !status.is_empty()) {
                    self.turned(now, status);
                }
            }
            _ => {}
        }
    }

    /// This user has written a message, under an id of its own, with further fields of its payload.
    pub fn write(&mut self, now: i64, id: &str, content: &str, fields: Value) {
        if self.find(id).is_some() {
            return;
        }
        self.stopped();
        self.add(ChatMessage {
            id: id.to_owned(),
            server_id: None,
            content: content.to_owned(),
            sender_id: self.user.clone(),
            is_own: true,
            role: fields["role"].as_str().unwrap_or("user").to_owned(),
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
        let at = now + self.skew;
        let seq = self.newest + 1;
        let Some(entry) = self.find(id).filter(|entry| entry.message.status == Some(ChatStatus::Failed)) else {
            return;
        };
        (entry.message.status, entry.message.error, entry.message.at) = (Some(ChatStatus::Sending), None, at);
        (entry.key, entry.seq, entry.is_in_doubt) = (Key::Pending, seq, false);
        self.newest = seq;
        self.order();
        self.submit(id);
    }

    /// Takes a failed message out. Others are left alone.
    pub fn discard(&mut self, id: &str) {
        let is_discarded = |message: &ChatMessage| message.id == id && message.status == Some(ChatStatus::Failed);
        self.entries.retain(|entry| !is_discarded(&entry.message));
    }

    /// The client knows more of what became of a message.
    pub fn handle_status(&mut self, id: &str, status: ChatStatus) {
        if self.find(id).is_some_and(|entry| entry.message.status != Some(ChatStatus::Failed)) {
            self.advance(id, status);
            self.order();
        }
    }

    /// The server has acknowledged a message.
    pub fn handle_acknowledgement(&mut self, id: &str) {
        self.handle_status(id, ChatStatus::Sent);
        // The sender's id is the server's in sessions.
        if self.kind == ChatKind::Session
            && let Some(entry) = self.find(id)
            && entry.message.is_own
            && entry.message.status != Some(ChatStatus::Failed)
        {
            entry.message.server_id = Some(id.to_owned());
        }
    }

    /// A message did not arrive. What the server refused is told as `refused`.
    pub fn handle_failure(&mut self, id: &str, failure: ChatFailure) {
        let Some(entry) = self.find(id) else { return };
        if !entry.message.is_own || entry.message.status == Some(ChatStatus::Failed) {
            return;
        }
        let refusal = (failure.code == "refused").then(|| failure.cause.clone());
        self.fail(id, failure);
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
        let upto = match id {
            None => self.entries.len(),
            Some(id) => self.entries.iter().position(|entry| entry.message.id == id).map_or(0, |index| index + 1),
        };
        let seen = || self.entries[..upto].iter().filter(|entry| !entry.message.is_own && entry.is_whole);
        // What is read already was told, by this side or another.
        let told = seen().next_back().filter(|last| !last.is_read && self.kind == ChatKind::Match);
        if let Some(server_id) = told.map(|last| last.message.server_id.clone()) {
            let mut data = Map::new();
            data.insert("message_id".to_owned(), server_id.into());
            self.emit("read_message", data);
        }
        for entry in self.entries[..upto].iter_mut().filter(|entry| !entry.message.is_own && entry.is_whole) {
            entry.is_read = true;
        }
    }

    /// The user wants the page before the oldest message. Says which fetch that is, if there is something to fetch.
    pub fn load_earlier(&mut self) -> Option<u64> {
        if self.earlier.is_none() && self.has_earlier() {
            let oldest =
                || self.entries.iter().filter(|entry| entry.is_stored).find_map(|e| e.message.server_id.clone());
            let before = self.begin.clone().or_else(oldest);
            self.token += 1;
            self.earlier = Some(self.token);
            self.outputs.push_back(ChatOutput::LoadEarlier { token: self.token, before });
        }
        self.earlier
    }

    /// A fetch has an answer: messages, oldest first, as the server tells them, and whether there are more.
    pub fn handle_page(&mut self, now: i64, token: u64, messages: &[Value], has_more: bool) {
        let is_earlier = self.earlier == Some(token);
        let is_refetch = self.refetch == Some(token);
        let is_forward = is_refetch && self.goes_forward();
        let is_history = is_earlier || self.need == Need::History;
        let known = self.known.as_ref().map(|(_, key)| *key);
        self.arrived(now, messages, if is_history { Some(Key::Pending) } else { known }, !is_forward);
        if self.error.as_ref().is_some_and(|error| error.code.as_deref() == Some(LOAD_FAILED)) {
            self.error = None;
        }
        if is_earlier || (is_refetch && is_history) {
            let first = messages.first().and_then(|payload| self.kind.read_message(payload));
            self.begin = first.map(|message| message.server_id).or(self.begin.take());
        }
        if is_earlier {
            self.earlier = None;
            self.may_have_earlier = has_more;
        }
        if !is_refetch {
            return;
        }
        self.refetch = None;
        self.retry_ms = RETRY_MS;
        self.fetched += messages.len();
        let end = if is_forward { messages.last() } else { messages.first() };
        let end = end.and_then(|payload| self.kind.read_message(payload)).map(|message| message.server_id);
        let oldest = self.entries.iter().find(|entry| end.is_some() && entry.message.server_id == end);
        let oldest = oldest.map(|oldest| oldest.key);
        let is_history = self.need == Need::History;
        let is_reached = is_history || known.is_none_or(|known| oldest.is_some_and(|oldest| oldest <= known));
        let is_worth_it =
            if is_forward { end != self.cursor } else { !is_reached && self.fetched < self.config.max_messages };
        if has_more && end.is_some() && is_worth_it {
            self.cursor = end;
            self.fetch();
            return;
        }
        if !is_forward && (is_history || !is_reached) {
            self.may_have_earlier = has_more;
        }
        if is_history && has_more {
            // Between these and the page there may be others.
            self.entries.retain(|entry| !entry.is_stored || Some(entry.key) >= oldest);
        }
        if !self.is_join_seen {
            self.again = Some((self.need, self.known.clone()));
        }
        self.need = Need::Nothing;
        self.is_complete = true;
        let in_doubt = self.entries.iter().filter(|entry| entry.is_in_doubt).map(|entry| entry.message.id.clone());
        for id in in_doubt.collect::<Vec<_>>() {
            if let Some(entry) = self.find(&id) {
                entry.is_in_doubt = false;
            }
            self.fail(&id, ChatFailure { code: "unconfirmed".to_owned(), cause: Value::Null });
        }
        self.order();
    }

    /// A fetch has failed. What the user asked for is not tried again; the rest is, after 1, 2, 4, … 30 s while connected.
    pub fn handle_fetch_failure(&mut self, now: i64, token: u64, message: &str) {
        if self.earlier == Some(token) {
            self.earlier = None;
        }
        if self.refetch != Some(token) {
            return;
        }
        self.refetch = None;
        self.error = Some(ChatError { message: message.to_owned(), code: Some(LOAD_FAILED.to_owned()) });
        if self.is_open {
            self.fetch_at = Some(now + self.retry_ms);
        }
        self.retry_ms = MAX_RETRY_MS.min(2 * self.retry_ms);
    }

    /// The alarm has gone off. Early and late calls are harmless.
    pub fn handle_timeout(&mut self, now: i64) {
        let news = self.announcer.handle_timeout(now);
        self.announce(news);
        self.typing.retain(|(_, until)| now < *until);
        if self.fetch_at.is_some_and(|at| now >= at) {
            self.fetch();
        }
    }

    fn emit(&mut self, event: &'static str, mut data: Map<String, Value>) {
        data.insert(self.kind.key().to_owned(), Value::from(self.id.as_str()));
        self.outputs.push_back(ChatOutput::Send { event, data: Value::Object(data), id: None });
    }

    fn submit(&mut self, id: &str) {
        let Some(entry) = self.entries.iter().find(|entry| entry.message.id == id) else { return };
        let data = self.kind.write_message(&self.id, id, &entry.message.content, &entry.message.data);
        self.outputs.push_back(ChatOutput::Send { event: self.kind.send(), data, id: Some(id.to_owned()) });
    }

    fn announce(&mut self, news: Option<bool>) {
        let Some(is_typing) = news else { return };
        let (event, field) = self.kind.typing();
        let mut data = Map::new();
        data.insert(field.to_owned(), Value::from(is_typing));
        self.emit(event, data);
    }

    fn find(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.message.id == id)
    }

    fn add(&mut self, message: ChatMessage) -> &mut Entry {
        self.newest += 1;
        self.entries.push(Entry {
            message,
            key: Key::Pending,
            rank: 0,
            seq: self.newest,
            is_stored: false,
            is_whole: true,
            is_in_doubt: false,
            is_read: false,
        });
        let last = self.entries.len() - 1;
        &mut self.entries[last]
    }

    /// Sorts, and forgets the oldest beyond the bound; what is under way goes last.
    fn order(&mut self) {
        self.entries.sort_by_key(Entry::place);
        let excess = self.entries.len().saturating_sub(self.config.max_messages);
        if excess > 0 {
            self.entries.drain(..excess);
            self.begin = None;
            self.may_have_earlier = self.config.can_load_earlier;
        }
    }

    /// Gives a message whose time only this side knows its place: behind what is there.
    fn place(&mut self, id: &str) {
        if self.find(id).is_none_or(|entry| entry.key != Key::Pending) {
            return;
        }
        self.order();
        let last = self.entries.iter().rfind(|entry| entry.key != Key::Pending).map(|entry| (entry.key, entry.rank));
        let seq = self.newest + 1;
        let Some(entry) = self.find(id) else { return };
        let own = Key::At(entry.message.at);
        (entry.key, entry.rank) = last.filter(|(key, _)| *key >= own).unwrap_or((own, 0));
        entry.seq = seq;
        self.newest = seq;
    }

    fn advance(&mut self, id: &str, status: ChatStatus) {
        let Some(Entry { message, .. }) = self.find(id) else { return };
        if message.status.is_none_or(|known| status <= known) {
            return;
        }
        (message.status, message.error) = (Some(status), None);
        // In a match the server tells when.
        if self.kind == ChatKind::Session {
            self.place(id);
        }
    }

    fn fail(&mut self, id: &str, failure: ChatFailure) {
        let Some(entry) = self.find(id) else { return };
        let may_fail = matches!(entry.message.status, Some(ChatStatus::Sending | ChatStatus::Sent));
        if entry.is_stored || !may_fail {
            return;
        }
        (entry.message.status, entry.message.error) = (Some(ChatStatus::Failed), Some(failure));
        self.place(id);
    }

    /// Takes messages of the server, oldest first. In a session, those up to a time were read before.
    fn arrived(&mut self, now: i64, payloads: &[Value], history_upto: Option<Key>, is_before: bool) {
        let count = i64::try_from(payloads.len()).unwrap_or(i64::MAX);
        let first = if is_before {
            self.oldest -= count;
            self.oldest
        } else {
            self.newest += count;
            self.newest - count
        };
        for (payload, seq) in payloads.iter().zip(first + 1..) {
            if let Some(message) = self.kind.read_message(payload) {
                self.stored(now, message, payload, seq, history_upto);
            }
        }
        self.order();
    }

    fn stored(&mut self, now: i64, stored: StoredMessage, data: &Value, seq: i64, history_upto: Option<Key>) {
        let is_match = self.kind == ChatKind::Match;
        let sender = stored.sender_id.as_deref();
        let is_mine = |user: Option<&str>| sender.is_some() && sender == user && stored.role != ASSISTANT;
        let position = |fits: &dyn Fn(&Entry) -> bool| self.entries.iter().position(fits);
        let server_id = Some(stored.server_id.as_str());
        let known = position(&|entry| entry.message.server_id.as_deref() == server_id)
            .or_else(|| {
                let client_id = stored.client_id.as_deref();
                position(&|entry| Some(entry.message.id.as_str()) == client_id && entry.is_same_sender(sender))
            })
            // A server that does not know the sender's ids says what this user wrote, in order.
            .or_else(|| {
                let is_echo = is_match && stored.client_id.is_none() && is_mine(self.user.as_deref());
                position(&|Entry { message, is_stored, .. }| {
                    is_echo && message.is_own && !is_stored && message.content == stored.content
                })
            });
        if known.is_some_and(|known| !self.entries[known].is_same_sender(sender)) {
            return;
        }
        let is_free = |name: &&String| !self.entries.iter().any(|entry| entry.message.id == **name);
        let id = match known {
            Some(known) => Some(self.entries[known].message.id.clone()),
            None => stored.client_id.iter().chain([&stored.server_id]).find(is_free).cloned(),
        };
        let Some(id) = id else { return };
        if let (Some(known), Some(sender)) = (known, sender)
            && self.entries[known].message.is_own
            && self.entries[known].message.sender_id.is_none()
        {
            self.set_user(sender);
        }
        let was = known.map(|known| &self.entries[known].message);
        let is_own = is_mine(self.user.as_deref()) || was.is_some_and(|message| message.is_own);
        let status = stored_status(stored.is_read).max(was.and_then(|m| m.status).unwrap_or(ChatStatus::Failed));
        let message = ChatMessage {
            id: id.clone(),
            server_id: Some(stored.server_id.clone()),
            content: stored.content.clone(),
            sender_id: stored.sender_id.clone().or_else(|| was.and_then(|message| message.sender_id.clone())),
            is_own,
            role: stored.role.clone(),
            at: stored.at.or_else(|| was.map(|message| message.at)).unwrap_or(now + self.skew),
            status: is_own.then_some(status),
            error: None,
            data: data.clone(),
        };
        if let Some(sender) = sender.filter(|_| !known.is_some_and(|known| self.entries[known].is_stored)) {
            self.typing.retain(|(user, _)| user != sender);
        }
        let entry = match known {
            Some(known) => &mut self.entries[known],
            None => {
                let entry = self.add(message.clone());
                entry.seq = seq;
                entry
            }
        };
        entry.message = message;
        if let Some(at) = stored.at {
            entry.key = Key::At(at);
            entry.rank = number(&stored.server_id);
        } else {
            self.place(&id);
        }
        let Some(entry) = self.find(&id) else { return };
        (entry.is_whole, entry.is_stored, entry.is_in_doubt) = (true, true, false);
        entry.is_read |= if is_match { stored.is_read } else { Some(entry.key) <= history_upto };
        if is_own && stored.is_read {
            self.order();
            self.read(&stored.server_id, true);
        }
    }

    /// A message is being written.
    fn written(&mut self, now: i64, data: &Map<String, Value>) {
        let Some(id) = text(data, "message_id").filter(|id| !id.is_empty()) else { return };
        let content = text(data, "text").unwrap_or_default();
        let at = now + self.skew;
        match self.find(&id) {
            Some(entry) if entry.is_whole => return,
            Some(Entry { message, .. }) => (message.content, message.data) = (content, Value::Object(data.clone())),
            None => {
                let entry = self.add(ChatMessage {
                    id: id.clone(),
                    server_id: None,
                    content,
                    sender_id: None,
                    is_own: false,
                    role: text(data, "role").unwrap_or_else(|| ASSISTANT.to_owned()),
                    at,
                    status: None,
                    error: None,
                    data: Value::Object(data.clone()),
                });
                entry.is_whole = false;
                self.place(&id);
            }
        }
        self.order();
    }

    /// Reading a message reads all of its sender before it, if the server says so.
    fn read(&mut self, server_id: &str, is_up_to: bool) {
        let Some(last) = self.entries.iter().position(|entry| entry.message.server_id.as_deref() == Some(server_id))
        else {
            return;
        };
        let is_own = self.entries[last].message.is_own;
        let first = if is_up_to { 0 } else { last };
        for entry in self.entries[first..=last].iter_mut().filter(|entry| entry.message.is_own == is_own) {
            entry.is_read = true;
            if is_own && matches!(entry.message.status, Some(ChatStatus::Sent | ChatStatus::Delivered)) {
                entry.message.status = Some(ChatStatus::Read);
            }
        }
    }

    fn heard(&mut self, now: i64, user: Option<String>, is_typing: bool) {
        let Some(user) = user else { return };
        let until = now + self.clear_ms;
        let known = self.typing.iter().position(|(known, _)| *known == user);
        match known {
            Some(known) if !is_typing => {
                self.typing.remove(known);
            }
            Some(known) => self.typing[known].1 = until,
            None if is_typing && self.typing.len() < MOST_USERS => {
                self.typing.push((user, until));
            }
            None => {}
        }
    }

    fn pong(&mut self, now: i64, data: &Map<String, Value>) {
        if let Some(at) = text(data, "timestamp").and_then(|time| iso_time::parse(&time)) {
            self.skew = at - now;
        }
        self.pongs = self.pongs.saturating_sub(1);
        self.answered(now);
    }

    /// The server may answer pings before it takes a message of the reliable mode.
    fn answered(&mut self, now: i64) {
        if self.is_asking && self.pongs == 0 && !(self.is_reliable && self.is_join_waiting) {
            self.join_seen(now);
        }
    }

    fn members_named(&mut self, now: i64, data: &Map<String, Value>) {
        let Some(Value::Array(members)) = data.get("members") else { return };
        self.members.clear();
        for member in members.iter().filter_map(Value::as_object) {
            if let Some(user) = text(member, "user_id").filter(|user| !user.is_empty()) {
                set_presence(&mut self.members, user, member.get("online") == Some(&Value::Bool(true)));
            }
        }
        self.are_members_listed = true;
        self.is_joining = false;
        if core::mem::take(&mut self.is_join_refused) {
            self.error = None;
        }
        // What tells this side of the members sends it everything else too.
        if self.is_asking {
            self.join_seen(now);
        }
    }

    /// From here on, everything comes to this side.
    fn join_seen(&mut self, now: i64) {
        (self.pongs, self.is_asking, self.is_join_seen) = (0, false, true);
        self.fetch_again();
        (self.refetch, self.fetched, self.cursor) = (None, 0, None);
        self.fetch_at = Some(now);
    }

    fn fetch_again(&mut self) {
        if let Some((need, known)) = self.again.take() {
            (self.need, self.known) = (need, known);
            // A page before what may be fetched anew does not join it.
            self.earlier = None;
        }
    }

    /// The match has another status.
    fn turned(&mut self, now: i64, status: String) {
        let before = self.status.replace(status.clone());
        if status == ACTIVE {
            self.error = None;
            // The end has ended the membership too.
            let was_refused = before.as_deref().map_or(self.is_join_refused, |before| before != ACTIVE);
            if self.is_open && was_refused {
                self.is_joining = true;
                self.enter();
                self.lost(now, true, false);
            }
        } else {
            let message = format!("the match is {status}");
            self.error = Some(ChatError { message, code: Some("not_active".to_owned()) });
            self.typing.clear();
        }
    }

    fn refused(&mut self, data: &Map<String, Value>) {
        let about = data.get("about").and_then(Value::as_str);
        if about == Some(self.kind.join()) {
            if !self.is_joining {
                return;
            }
            (self.is_joining, self.is_join_refused) = (false, true);
            (self.pongs, self.is_asking, self.fetch_at) = (0, false, None);
        } else if about == Some(self.kind.send()) {
            // Where each message is announced, in order, the first that is not must be the one that was refused. What has a number is told with its message.
            let is_open = |Entry { message, is_stored, is_in_doubt, .. }: &&Entry| {
                message.is_own && message.status == Some(ChatStatus::Sent) && !is_stored && !is_in_doubt
            };
            let first = self.entries.iter().find(is_open).map(|entry| entry.message.id.clone());
            if let Some(id) = first.filter(|_| self.kind == ChatKind::Match && !data.contains_key("seq")) {
                let cause = Value::Object(data.clone());
                self.fail(&id, ChatFailure { code: "refused".to_owned(), cause });
                self.order();
            }
        } else if about != Some("read_message") {
            return;
        }
        self.complain(data);
    }

    fn complain(&mut self, data: &Map<String, Value>) {
        if let Some(message) = text(data, "message") {
            self.error = Some(ChatError { message, code: text(data, "code") });
        }
    }

    /// Something may be missing from here on.
    fn lost(&mut self, now: i64, is_joining: bool, is_first: bool) {
        let newest = self.entries.iter().rfind(|entry| entry.is_stored);
        if !is_first {
            self.is_complete &= self.need == Need::History && newest.is_none();
            if self.need == Need::Nothing {
                self.known = newest.map(|newest| (newest.message.server_id.clone(), newest.key));
                let begins_anew = newest.is_none() && self.config.can_load_earlier;
                self.need = if begins_anew { Need::History } else { Need::Missed };
            }
        }
        (self.refetch, self.fetched, self.cursor) = (None, 0, None);
        if !self.is_open || !(self.config.can_load_earlier || self.config.can_load_missed) {
            return;
        }
        self.fetch_at = Some(if is_joining { now + JOIN_MS } else { now });
        if is_joining {
            (self.is_asking, self.is_join_seen) = (true, false);
            // In the reliable mode one more pong is on its way, of the ping that follows the hello.
            self.pongs = if self.is_reliable { 2 } else { 1 };
            for _ in 0..self.pongs {
                self.outputs.push_back(ChatOutput::Send { event: "ping", data: json!({}), id: None });
            }
        }
    }

    fn goes_forward(&self) -> bool {
        self.need == Need::Missed && self.config.can_load_missed
    }

    fn fetch(&mut self) {
        self.fetch_at = None;
        if self.need == Need::Nothing {
            return;
        }
        self.token += 1;
        let token = self.token;
        self.refetch = Some(token);
        let cursor = self.cursor.clone();
        self.outputs.push_back(if self.goes_forward() {
            let after = cursor.or_else(|| self.known.as_ref().and_then(|(id, _)| id.clone()));
            ChatOutput::LoadMissed { token, after }
        } else {
            ChatOutput::LoadEarlier { token, before: cursor }
        });
    }

    fn has_earlier(&self) -> bool {
        let has_room = self.entries.len() < self.config.max_messages;
        self.may_have_earlier && self.has_opened && self.need != Need::History && has_room
    }
}

const fn stored_status(is_read: bool) -> ChatStatus {
    if is_read { ChatStatus::Read } else { ChatStatus::Sent }
}

/// The number that an id is, 0 if it is none.
fn number(id: &str) -> u64 {
    let is_number = (1..=15).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { id.parse().unwrap_or(0) } else { 0 }
}

fn set_presence(members: &mut Vec<ChatMember>, user_id: String, online: bool) {
    if let Some(member) = members.iter_mut().find(|member| member.user_id == user_id) {
        member.online = online;
    } else if members.len() < MOST_USERS {
        members.push(ChatMember { user_id, online });
    }
}

const ASSISTANT: &str = "assistant";
const ACTIVE: &str = "active";
const LOAD_FAILED: &str = "load_failed";
const MOST_USERS: usize = 1_000;
/// How long the server's answer to the join is waited for.
const JOIN_MS: i64 = 3_000;
const RETRY_MS: i64 = 1_000;
const MAX_RETRY_MS: i64 = 30_000;
