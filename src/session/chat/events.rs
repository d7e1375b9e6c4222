//! What the events of the server change.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde_json::{Map, Value};

use super::{ASSISTANT, Chat};
use crate::session::dialect::{ChatKind, text};
use crate::session::iso_time;
use crate::session::message::{ChatFailure, ChatMessage};
use crate::session::snapshot::ChatError;
use crate::session::timeline::Entry;

impl Chat {
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
                self.receipt.confirm(data.get("message_id").and_then(Value::as_str).unwrap_or_default());
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
            self.correct_clock(at.saturating_sub(now));
        }
        self.join.handle_pong();
        self.answered(now);
    }

    /// The clocks differ by something else than was thought, and so do the times that were made of it since.
    fn correct_clock(&mut self, skew: i64) {
        if skew.unsigned_abs() < MAX_SKEW_MS {
            self.timeline.correct_times(skew - self.skew);
            self.skew = skew;
            self.order();
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
                self.miss();
                self.fetch_after_join(now);
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
        } else if about == Some(ChatKind::READ) {
            self.receipt.forget();
        } else {
            return;
        }
        self.complain(data);
    }

    pub(super) fn read(&mut self, data: &Map<String, Value>) {
        if let Some(id) = text(data, "message_id") {
            let is_up_to = data.get("up_to") == Some(&Value::Bool(true));
            self.timeline.read(&id, is_up_to, text(data, "readAt").as_deref());
        }
    }
}

const ACTIVE: &str = "active";
/// More than a century: no clock is wrong by that.
const MAX_SKEW_MS: u64 = 4_000_000_000_000;
