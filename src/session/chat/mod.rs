//! One conversation.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use serde_json::{Map, Value, json};

use super::TypingRule;
use super::announcer::Announcer;
use super::catch_up::{CatchUp, Page, Progress};
use super::config::ChatConfig;
use super::dialect::{ChatKind, StoredMessage, text};
use super::iso_time;
use super::join::Join;
use super::members::Members;
use super::message::{ChatFailure, ChatMessage, ChatStatus};
use super::output::ChatOutput;
use super::snapshot::{ChatError, ChatMember, ChatSnapshot};
use super::timeline::{Entry, Key, Timeline};
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
            self.lost(0, false, false);
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
            self.lost(now, true, is_first || goes_on);
        }
    }

    /// The join was handed to the client, or the server has taken it: in the reliable mode by an acknowledgement, at most once when it was sent.
    pub fn handle_join(&mut self, now: i64, is_taken: bool) {
        self.join.set_waiting(!is_taken);
        self.answered(now);
    }

    /// The connection has ended.
    pub fn handle_close(&mut self) {
        self.is_open = false;
        self.join.end();
        self.catch_up.suspend();
        self.announcer.forget();
        self.members.clear();
        self.typists.clear();
        // Parts are not sent again.
        self.timeline.retain(|entry| entry.is_whole);
        if !self.is_reliable && self.kind == ChatKind::Match {
            self.timeline.doubt();
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
        for Entry { message, .. } in self.timeline.entries_mut() {
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
            (_, "session_members") if names(data, "session_id") => {
                if let Some(Value::Array(members)) = data.get("members") {
                    self.members_named(now, members);
                }
            }
            (ChatKind::Session, "message_received") => {
                let message = data.get("message").and_then(Value::as_object).unwrap_or(&empty);
                if may_name(message, key) {
                    self.arrived(now, &[Value::Object(message.clone())], None, false);
                }
            }
            (ChatKind::Session, "typing_indicator") if may_name(data, key) => {
                if let Some(user) = user {
                    self.typists.hear(now, user, data.get("isTyping") == Some(&Value::Bool(true)));
                }
            }
            (ChatKind::Session, "message_delta") if names(data, key) => self.written(now, data),
            (ChatKind::Match, "new_message") if names(data, "matchId") => {
                self.arrived(now, core::slice::from_ref(payload), None, false);
            }
            (ChatKind::Match, "user_online_status") => {
                if let Some(user) = user {
                    self.members.turn(user, data.get("online") == Some(&Value::Bool(true)));
                }
            }
            (ChatKind::Match, "user_typing" | "typing_stopped") if names(data, key) => {
                if let Some(user) = user {
                    self.typists.hear(now, user, event == "user_typing");
                }
            }
            (ChatKind::Match, "message_read") if names(data, key) => {
                if self.catch_up.is_loading() && self.reads.len() < self.timeline.max() {
                    self.reads.push(data.clone());
                }
                self.read(data);
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
        let last = entries[..upto].iter().rfind(|entry| is_other(entry));
        // What is read already was told, by this side or another.
        let told = last.filter(|last| !last.is_read && self.kind == ChatKind::Match);
        if let Some(server_id) = told.map(|last| last.message.server_id.clone()) {
            let mut data = Map::new();
            data.insert("message_id".to_owned(), server_id.into());
            self.emit("read_message", data);
        }
        for entry in self.timeline.entries_mut()[..upto].iter_mut().filter(|entry| is_other(entry)) {
            entry.is_read = true;
        }
    }

    /// The user wants the page before the oldest message, or the first one at once. Says which fetch that is, if there is something to fetch.
    pub fn load_earlier(&mut self) -> Option<u64> {
        if self.catch_up.awaits_history() {
            self.outputs.extend(self.catch_up.hasten());
            return self.catch_up.refetch();
        }
        if self.has_earlier() {
            self.outputs.extend(self.catch_up.load_earlier(self.timeline.oldest_id()));
        }
        self.catch_up.earlier()
    }

    /// A fetch has an answer: messages, as the server tells them, and whether there are more.
    pub fn handle_page(&mut self, now: i64, token: u64, messages: &[Value], has_more: bool) {
        let history_up_to = self.catch_up.history_up_to(token);
        self.arrived(now, messages, history_up_to, !self.catch_up.is_forward(token));
        for data in mem::take(&mut self.reads) {
            self.read(&data);
        }
        if self.error.as_ref().is_some_and(|error| error.code.as_deref() == Some(LOAD_FAILED)) {
            self.error = None;
        }
        let (first, last) = self.ends_of(messages);
        let page = Page { first, last, count: messages.len(), has_more };
        match self.catch_up.handle_page(token, page, &mut self.timeline, self.join.is_seen()) {
            Progress::Nothing => {}
            Progress::Next(output) => self.outputs.push_back(output),
            Progress::Whole => {
                self.timeline.fail_doubtful();
                self.order();
            }
        }
    }

    /// The first and the last of these messages in the order in which they are shown: an application may give another, and a server's clock may have
    /// been set back.
    fn ends_of(&self, messages: &[Value]) -> (Option<String>, Option<String>) {
        let id_of = |payload| Some(self.kind.read_message(payload)?.server_id);
        let ids: BTreeSet<_> = messages.iter().filter_map(id_of).collect();
        let mut shown = self.messages().filter_map(|message| message.server_id.as_ref()).filter(|id| ids.contains(*id));
        let first = shown.next();
        (first.cloned(), shown.next_back().or(first).cloned())
    }

    /// A fetch has failed. What the user asked for is not tried again; the rest is, after 1, 2, 4, … 30 s while connected.
    pub fn handle_fetch_failure(&mut self, now: i64, token: u64, message: &str) {
        if self.catch_up.handle_failure(now, token, self.is_open) {
            self.error = Some(ChatError { message: message.to_owned(), code: Some(LOAD_FAILED.to_owned()) });
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

    fn announce(&mut self, news: Option<bool>) {
        let Some(is_typing) = news else { return };
        let (event, field) = self.kind.typing();
        let mut data = Map::new();
        data.insert(field.to_owned(), Value::from(is_typing));
        self.emit(event, data);
    }

    fn order(&mut self) {
        self.timeline.order();
        if self.timeline.take_has_forgotten() {
            self.catch_up.handle_forgotten();
        }
    }

    /// Takes messages of the server, oldest first. In a session, those up to a time were read before.
    fn arrived(&mut self, now: i64, payloads: &[Value], history_upto: Option<Key>, is_before: bool) {
        let seqs = self.timeline.reserve(payloads.len(), is_before);
        for (payload, seq) in payloads.iter().zip(seqs) {
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
        let is_echo = is_match && stored.client_id.is_none() && is_mine(self.user.as_deref());
        let known = self.timeline.position_of(&stored, is_echo);
        let known_entry = known.map(|known| &self.timeline.entries()[known]);
        if known_entry.is_some_and(|known| !known.is_same_sender(sender)) {
            return;
        }
        let is_free = |name: &&String| !self.messages().any(|message| message.id == **name);
        let id = match known_entry {
            Some(known) => Some(known.message.id.clone()),
            None => stored.client_id.iter().chain([&stored.server_id]).find(is_free).cloned(),
        };
        let Some(id) = id else { return };
        let is_sender_told =
            known_entry.is_some_and(|Entry { message, .. }| message.is_own && message.sender_id.is_none());
        if let Some(sender) = sender.filter(|_| is_sender_told) {
            self.set_user(sender);
        }
        let known_entry = known.map(|known| &self.timeline.entries()[known]);
        let was = known_entry.map(|known| &known.message);
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
        if let Some(sender) = sender.filter(|_| !known_entry.is_some_and(|known| known.is_stored)) {
            self.typists.forget(sender);
        }
        match known {
            Some(known) => self.timeline.entries_mut()[known].message = message,
            None => _ = self.timeline.add_at(message, seq),
        }
        if stored.at.is_none() {
            self.timeline.place(&id);
        }
        let Some(entry) = self.timeline.find(&id) else { return };
        if let Some(at) = stored.at {
            entry.set_time(at, &stored.server_id);
        }
        (entry.is_whole, entry.is_stored, entry.is_in_doubt) = (true, true, false);
        entry.is_read |= if is_match { stored.is_read } else { Some(entry.key) <= history_upto };
        if is_own && stored.is_read {
            self.order();
            self.timeline.read(&stored.server_id, true, None);
        }
    }

    fn read(&mut self, data: &Map<String, Value>) {
        if let Some(id) = text(data, "message_id") {
            let is_up_to = data.get("up_to") == Some(&Value::Bool(true));
            self.timeline.read(&id, is_up_to, text(data, "readAt").as_deref());
        }
    }

    /// A message is being written.
    fn written(&mut self, now: i64, data: &Map<String, Value>) {
        let Some(id) = text(data, "message_id").filter(|id| !id.is_empty()) else { return };
        let content = text(data, "text").unwrap_or_default();
        let at = now + self.skew;
        match self.timeline.find(&id) {
            Some(entry) if entry.is_whole => return,
            Some(Entry { message, .. }) => (message.content, message.data) = (content, Value::Object(data.clone())),
            None => {
                let entry = self.timeline.add(ChatMessage {
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
                self.timeline.place(&id);
            }
        }
        self.order();
    }

    fn pong(&mut self, now: i64, data: &Map<String, Value>) {
        if let Some(at) = text(data, "timestamp").and_then(|time| iso_time::parse(&time)) {
            self.skew = at - now;
        }
        self.join.handle_pong();
        self.answered(now);
    }

    fn answered(&mut self, now: i64) {
        if self.join.is_answered(self.is_reliable) {
            self.join_seen(now);
        }
    }

    fn members_named(&mut self, now: i64, members: &[Value]) {
        self.members.list(members);
        if self.join.allow() {
            self.error = None;
        }
        // What tells this side of the members sends it everything else too.
        if self.join.is_asking() {
            self.join_seen(now);
        }
    }

    fn join_seen(&mut self, now: i64) {
        self.join.see();
        self.catch_up.handle_join_seen(now);
    }

    /// The match has another status.
    fn turned(&mut self, now: i64, status: String) {
        let before = self.status.replace(status.clone());
        if status == ACTIVE {
            self.error = None;
            // The end has ended the membership too.
            let was_refused = before.as_deref().map_or(self.join.is_refused(), |before| before != ACTIVE);
            if self.is_open && was_refused {
                self.join.begin();
                self.enter();
                self.lost(now, true, false);
            }
        } else {
            let message = format!("the match is {status}");
            self.error = Some(ChatError { message, code: Some("not_active".to_owned()) });
            self.typists.clear();
        }
    }

    fn refused(&mut self, data: &Map<String, Value>) {
        let about = data.get("about").and_then(Value::as_str);
        if about == Some(self.kind.join()) {
            if !self.join.refuse() {
                return;
            }
            self.catch_up.suspend();
        } else if about == Some(self.kind.send()) {
            // What has a number is told with its message.
            if data.contains_key("seq") {
                return;
            }
            // Where each message is announced, in order, the first that is not must be the one that was refused, unless the server names it.
            let named = text(data, "message_id").filter(|id| !id.is_empty());
            let first = self.timeline.first_unshown(named.as_deref()).map(|message| message.id.clone());
            if let Some(id) = first.filter(|_| self.kind == ChatKind::Match || named.is_some()) {
                let cause = Value::Object(data.clone());
                self.timeline.fail(&id, ChatFailure { code: "refused".to_owned(), cause });
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

    /// Something may be missing from here on, unless only the history has to be fetched.
    fn lost(&mut self, now: i64, is_joining: bool, is_whole: bool) {
        if !is_whole {
            self.timeline.interrupt();
            self.catch_up.miss(self.timeline.newest_stored());
        }
        self.catch_up.restart();
        let at = if is_joining { now + JOIN_MS } else { now };
        if self.is_open && self.catch_up.schedule(at) && is_joining {
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

const ASSISTANT: &str = "assistant";
const ACTIVE: &str = "active";
const LOAD_FAILED: &str = "load_failed";
/// How long the server's answer to the join is waited for.
const JOIN_MS: i64 = 3_000;
