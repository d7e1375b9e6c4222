//! The messages of a conversation, in their order.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::dialect::{ASSISTANT, ChatKind, StoredMessage, USER};
use super::iso_time;
use super::message::{ChatFailure, ChatMessage, ChatStatus};

/// Where a message stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    At(i64),
    /// Under way, or the server will tell.
    Pending,
}

/// A message, and what is known of it beside what is shown.
#[derive(Debug)]
pub struct Entry {
    pub message: ChatMessage,
    pub key: Key,
    /// Orders messages of the same time: the server's id if it is a number.
    rank: u64,
    /// Orders the rest: in the order of arrival.
    seq: i64,
    /// Whether the server has shown it.
    pub is_stored: bool,
    /// Whether it is all there; what is being written is not.
    pub is_whole: bool,
    /// Whether it was sent, and the server may not have it: at most once to a connection that has ended, or before a loss of memory.
    pub is_in_doubt: bool,
    /// Whether it is from before the server lost its memory, and has not been shown since.
    pub is_stale: bool,
    pub is_read: bool,
}

impl Entry {
    const fn place(&self) -> (Key, u64, i64) {
        (self.key, self.rank, self.seq)
    }

    /// Whether the server has shown it, and knows it by its id.
    pub const fn is_known(&self) -> bool {
        self.is_stored && self.message.server_id.is_some()
    }

    /// Whether who has written it may have written this. Of a member the server says so.
    pub fn is_same_sender(&self, stored: &StoredMessage) -> bool {
        let (known, sender) = (&self.message.sender_id, &stored.sender_id);
        let is_same_part = (self.message.role == USER) == (stored.role == USER);
        (known == sender || known.is_none() || sender.is_none())
            && (is_same_part || (self.message.is_own && stored.role != ASSISTANT))
    }

    /// The time that the server says, and its id.
    pub fn set_time(&mut self, at: i64, server_id: &str) {
        (self.key, self.rank) = (Key::At(at), number(server_id));
    }
}

/// The messages in their order, each id once, as many as are kept.
#[derive(Debug)]
pub struct Timeline {
    entries: Vec<Entry>,
    max: usize,
    newest: i64,
    oldest: i64,
    /// What came live after this one is without holes.
    whole_after: i64,
    /// What was placed after this one has a time of this side's that no pong has confirmed.
    confirmed: i64,
    /// Whether messages were forgotten since that was asked last.
    has_forgotten: bool,
}

impl Timeline {
    pub const fn new(max: usize) -> Self {
        Self { entries: Vec::new(), max, newest: 0, oldest: 0, whole_after: 0, confirmed: 0, has_forgotten: false }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    pub fn retain(&mut self, is_kept: impl FnMut(&Entry) -> bool) {
        self.entries.retain(is_kept);
    }

    /// Something may be missing between what is there and what will come.
    pub const fn interrupt(&mut self) {
        self.whole_after = self.newest;
    }

    /// Forgets what the server has shown before a time, if anything may be missing behind it.
    pub fn forget_before(&mut self, oldest: Option<Key>) {
        let whole_after = self.whole_after;
        self.retain(|entry| !entry.is_stored || Some(entry.key) >= oldest || entry.seq > whole_after);
    }

    /// The server has lost its memory.
    pub fn mark_stale(&mut self) {
        for entry in &mut self.entries {
            entry.is_stale = entry.is_stored || entry.message.server_id.is_some();
        }
    }

    /// Forgets what the server has not shown since it lost its memory.
    pub fn forget_stale(&mut self) {
        self.retain(|entry| !entry.is_stale);
    }

    pub const fn max(&self) -> usize {
        self.max
    }

    pub fn is_full(&self) -> bool {
        self.entries.len() >= self.max
    }

    pub fn find(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.message.id == id)
    }

    /// The newest message that the server knows.
    pub fn newest_known(&self) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.is_known())
    }

    /// The server's id of the oldest message that it has shown.
    pub fn oldest_id(&self) -> Option<&String> {
        self.entries.iter().filter(|entry| entry.is_stored).find_map(|entry| entry.message.server_id.as_ref())
    }

    /// A server that has lost its memory gives its ids again, and a member may have taken that of an assistant's message: another message that has the
    /// id of this one loses it.
    pub fn release_id(&mut self, stored: &StoredMessage, kind: ChatKind) {
        let has_id = |entry: &&mut Entry| entry.message.server_id.as_ref() == Some(&stored.server_id);
        let Some(entry) = self.entries.iter_mut().find(has_id) else { return };
        let at = entry.message.data["createdAt"].as_str().and_then(iso_time::parse);
        let apart = at.zip(stored.at).map_or(0, |(at, other)| at.abs_diff(other));
        let is_other = if entry.is_same_sender(stored) {
            kind == ChatKind::Match && apart >= ROUNDING_MS
        } else {
            !kind.is_id_chosen(stored)
        };
        if is_other {
            entry.message.server_id = None;
        }
    }

    /// Which message it is that the server tells. A server that does not know the sender's ids says what this user wrote, in order: an `is_echo`.
    pub fn position_of(&self, stored: &StoredMessage, is_echo: bool) -> Option<usize> {
        let position = |fits: &dyn Fn(&Entry) -> bool| self.entries.iter().position(fits);
        let server_id = Some(stored.server_id.as_str());
        position(&|entry| entry.message.server_id.as_deref() == server_id)
            .or_else(|| {
                let client_id = stored.client_id.as_deref();
                position(&|entry| Some(entry.message.id.as_str()) == client_id && entry.is_same_sender(stored))
            })
            .or_else(|| {
                position(&|Entry { message, is_stored, .. }| {
                    is_echo && message.is_own && !is_stored && message.content == stored.content
                })
            })
    }

    /// Adds a message behind all others.
    pub fn add(&mut self, message: ChatMessage) -> &mut Entry {
        self.newest += 1;
        self.add_at(message, self.newest)
    }

    /// Adds a message at a place in the order of arrival, see [`Self::reserve`].
    pub fn add_at(&mut self, message: ChatMessage, seq: i64) -> &mut Entry {
        self.entries.push(Entry {
            message,
            key: Key::Pending,
            rank: 0,
            seq,
            is_stored: false,
            is_whole: true,
            is_in_doubt: false,
            is_stale: false,
            is_read: false,
        });
        let last = self.entries.len() - 1;
        &mut self.entries[last]
    }

    /// The places of so many messages in the order of arrival, before or behind all others.
    pub fn reserve(&mut self, count: usize, is_before: bool) -> impl Iterator<Item = i64> + use<> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let first = if is_before {
            self.oldest -= count;
            self.oldest
        } else {
            self.newest += count;
            self.newest - count
        };
        first + 1..=first + count
    }

    /// Sorts, and forgets the oldest beyond the bound; what is under way goes last.
    pub fn order(&mut self) {
        self.entries.sort_by_key(Entry::place);
        let excess = self.entries.len().saturating_sub(self.max);
        if excess > 0 {
            self.entries.drain(..excess);
            self.has_forgotten = true;
        }
    }

    /// Whether messages were forgotten since this was asked last.
    pub fn take_has_forgotten(&mut self) -> bool {
        core::mem::take(&mut self.has_forgotten)
    }

    /// Gives a message whose time only this side knows its place: behind what is there.
    pub fn place(&mut self, id: &str) {
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

    /// This side's clock has gone wrong by so much since times were last confirmed.
    pub fn correct_times(&mut self, by: i64) {
        let confirmed = self.confirmed;
        // What has its place keeps it unless a clock was wrong: each pong takes another time.
        let is_wrong = by.unsigned_abs() >= WRONG_CLOCK_MS;
        let may_change =
            |entry: &&mut Entry| !entry.is_stored && (entry.key == Key::Pending || (is_wrong && entry.seq > confirmed));
        for entry in self.entries.iter_mut().filter(may_change) {
            let at = entry.message.at + by;
            if entry.key == Key::At(entry.message.at) {
                entry.key = Key::At(at);
            }
            entry.message.at = at;
        }
        self.confirmed = self.newest;
    }

    /// Puts a failed message behind all others, as one that is sent anew. Says whether there is one.
    pub fn renew(&mut self, id: &str, at: i64) -> bool {
        let seq = self.newest + 1;
        let Some(entry) = self.find(id).filter(|entry| entry.message.status == Some(ChatStatus::Failed)) else {
            return false;
        };
        (entry.message.status, entry.message.error, entry.message.at) = (Some(ChatStatus::Sending), None, at);
        (entry.key, entry.seq, entry.is_in_doubt) = (Key::Pending, seq, false);
        self.newest = seq;
        true
    }

    /// A message has come further. Says whether that is news.
    pub fn advance(&mut self, id: &str, status: ChatStatus) -> bool {
        let Some(Entry { message, .. }) = self.find(id) else { return false };
        if message.status.is_none_or(|known| status <= known) {
            return false;
        }
        (message.status, message.error) = (Some(status), None);
        true
    }

    /// A message has not arrived, unless the server has shown it.
    pub fn fail(&mut self, id: &str, failure: ChatFailure) {
        let Some(entry) = self.find(id) else { return };
        let may_fail = matches!(entry.message.status, Some(ChatStatus::Sending | ChatStatus::Sent));
        if entry.is_stored || !may_fail {
            return;
        }
        (entry.message.status, entry.message.error) = (Some(ChatStatus::Failed), Some(failure));
        (entry.message.server_id, entry.is_stale) = (None, false);
        self.place(id);
    }

    /// Whether what was sent has arrived, or is there still, is not known.
    pub fn doubt(&mut self) {
        for entry in &mut self.entries {
            entry.is_in_doubt |= entry.message.status == Some(ChatStatus::Sent) && !entry.is_stored;
        }
    }

    /// All that the server has is here: what is still in doubt did not arrive.
    pub fn fail_doubtful(&mut self) {
        let in_doubt = self.entries.iter().filter(|entry| entry.is_in_doubt).map(|entry| entry.message.id.clone());
        for id in in_doubt.collect::<Vec<_>>() {
            if let Some(entry) = self.find(&id) {
                entry.is_in_doubt = false;
            }
            self.fail(&id, ChatFailure { code: "unconfirmed".to_owned(), cause: Value::Null });
        }
    }

    /// The first of this user's messages that the server has not shown, in order of sending.
    pub fn first_unshown(&self, id: Option<&str>) -> Option<&ChatMessage> {
        let is_unshown = |Entry { message, is_stored, is_in_doubt, .. }: &&Entry| {
            let is_meant = id.is_none_or(|id| message.id == id);
            message.is_own && message.status == Some(ChatStatus::Sent) && !is_stored && !is_in_doubt && is_meant
        };
        self.entries.iter().find(is_unshown).map(|entry| &entry.message)
    }

    /// A message is read, and if the server says so all of its sender before it; and perhaps it is known when.
    pub fn read(&mut self, server_id: &str, is_up_to: bool, read_at: Option<&str>) {
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
            if let (Some(read_at), Some(known @ Value::Null)) = (read_at, entry.message.data.get_mut("readAt")) {
                *known = read_at.into();
            }
        }
    }
}

const WRONG_CLOCK_MS: u64 = 1_000;
/// Databases round times.
const ROUNDING_MS: u64 = 1_000;

/// The number that an id is, 0 if it is none.
fn number(id: &str) -> u64 {
    let is_number = (1..=15).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { id.parse().unwrap_or(0) } else { 0 }
}
