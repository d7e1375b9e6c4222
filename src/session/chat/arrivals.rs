//! Messages as the server has them, from events and from pages.

use alloc::format;
use alloc::string::String;
use core::iter;

use serde_json::Value;

use super::{ASSISTANT, Chat, stored_status};
use crate::session::dialect::{ChatKind, StoredMessage};
use crate::session::message::{ChatMessage, ChatStatus};
use crate::session::timeline::{Entry, Key};

impl Chat {
    /// Takes messages of the server, oldest first. In a session, those up to a time were read before.
    pub(super) fn arrived(&mut self, now: i64, payloads: &[Value], history_upto: Option<Key>, is_before: bool) {
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
        self.timeline.release_id(&stored, self.kind);
        let known = self.timeline.position_of(&stored, is_echo);
        let known_entry = known.map(|known| &self.timeline.entries()[known]);
        if known_entry.is_some_and(|known| !known.is_same_sender(&stored)) {
            return;
        }
        let id = known_entry.map(|known| known.message.id.clone());
        let Some(id) = id.or_else(|| self.free_id(&stored)) else { return };
        let is_sender_told =
            known_entry.is_some_and(|Entry { message, .. }| message.is_own && message.sender_id.is_none());
        if let Some(sender) = sender.filter(|_| is_sender_told) {
            self.set_user(sender);
        }
        let known_entry = known.map(|known| &self.timeline.entries()[known]);
        let was = known_entry.map(|known| &known.message);
        let is_own = is_mine(self.user.as_deref()) || was.is_some_and(|message| message.is_own);
        let status = stored_status(stored.is_read).max(was.and_then(|m| m.status).unwrap_or(ChatStatus::Failed));
        // In a session a sender may send a message again under its id, of which the server then tells another time.
        let is_first_time =
            |at: &i64| is_match || known_entry.is_none_or(|e| !e.is_stored || e.is_stale || Key::At(*at) <= e.key);
        let told_at = stored.at.filter(is_first_time);
        let message = ChatMessage {
            id: id.clone(),
            server_id: Some(stored.server_id.clone()),
            content: stored.content.clone(),
            sender_id: stored.sender_id.clone().or_else(|| was.and_then(|message| message.sender_id.clone())),
            is_own,
            role: stored.role.clone(),
            at: told_at.or_else(|| was.map(|message| message.at)).unwrap_or(now + self.skew),
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
        if told_at.is_none() {
            self.timeline.place(&id);
        }
        let Some(entry) = self.timeline.find(&id) else { return };
        if let Some(at) = told_at {
            entry.set_time(at, &stored.server_id);
        }
        entry.is_read |= if is_match { stored.is_read } else { !entry.is_stored && Some(entry.key) <= history_upto };
        (entry.is_whole, entry.is_stored) = (true, true);
        (entry.is_in_doubt, entry.is_stale) = (false, false);
        if is_own && stored.is_read {
            self.order();
            self.timeline.read(&stored.server_id, true, None);
        }
    }

    /// What a new message is called in the list: like no other. A member's whose id is taken is none.
    fn free_id(&self, stored: &StoredMessage) -> Option<String> {
        let is_free = |name: &String| !self.messages().any(|message| message.id == *name);
        let told = stored.client_id.iter().chain([&stored.server_id]).find(|name| is_free(name)).cloned();
        told.or_else(|| {
            let mut made = iter::successors(Some(stored.server_id.clone()), |name| Some(format!("{name}'")));
            made.find(is_free).filter(|_| !self.kind.is_id_chosen(stored))
        })
    }
}
