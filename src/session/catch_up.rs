//! What has to be fetched of a conversation.

use alloc::string::String;

use super::config::ChatConfig;
use super::output::ChatOutput;
use super::timeline::{Entry, Key, Timeline};

/// The history and what was missed: what of it has to be fetched, when, and which fetches are under way.
#[derive(Debug)]
pub struct CatchUp {
    config: ChatConfig,
    need: Need,
    is_complete: bool,
    /// Whether the server counts anew, and its history has not come.
    is_reset: bool,
    may_have_earlier: bool,
    /// The first message of the pages, if it is not the oldest: one's own that was sent again may be older, and others between.
    begin: Option<String>,
    known: Option<KnownUpTo>,
    /// Where a fetch of several pages goes on.
    cursor: Option<String>,
    fetched: usize,
    token: u64,
    /// The last fetch of what the server had before it lost its memory.
    reset_token: u64,
    refetch: Option<u64>,
    earlier: Option<u64>,
    fetch_at: Option<i64>,
    retry_ms: i64,
    /// What was fetched before the server had seen this side join, and from where: to be fetched once more.
    again: Option<(Need, Option<KnownUpTo>)>,
}

/// The server's id and the time of the newest message before which nothing is missing.
type KnownUpTo = (Option<String>, Key);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    History,
    Missed,
}

/// The answer to a fetch.
#[derive(Debug)]
pub struct Page {
    /// The server's id of its first message.
    pub first: Option<String>,
    /// The server's id of its last message.
    pub last: Option<String>,
    pub count: usize,
    /// Whether there are more in the direction of the fetch.
    pub has_more: bool,
}

/// What comes of a page.
#[derive(Debug)]
pub enum Progress {
    Nothing,
    Next(ChatOutput),
    /// What was missed is there.
    Whole,
}

impl CatchUp {
    pub const fn new(config: ChatConfig) -> Self {
        Self {
            config,
            need: if config.can_load_earlier { Need::History } else { Need::Nothing },
            is_complete: true,
            is_reset: false,
            may_have_earlier: config.can_load_earlier,
            begin: None,
            known: None,
            cursor: None,
            fetched: 0,
            token: 0,
            reset_token: 0,
            refetch: None,
            earlier: None,
            fetch_at: None,
            retry_ms: RETRY_MS,
            again: None,
        }
    }

    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub const fn is_reset(&self) -> bool {
        self.is_reset
    }

    /// Whether a fetch brings what the server had before it lost its memory.
    pub const fn is_outdated(&self, token: u64) -> bool {
        token <= self.reset_token
    }

    pub const fn is_loading(&self) -> bool {
        self.earlier.is_some() || self.refetch.is_some()
    }

    pub fn is_needed(&self) -> bool {
        self.need != Need::Nothing
    }

    /// Whether there may be messages before those that are there.
    pub fn has_earlier(&self) -> bool {
        self.may_have_earlier && self.need != Need::History
    }

    /// Whether the newest page is not there yet.
    pub fn awaits_history(&self) -> bool {
        self.need == Need::History
    }

    /// Fetches what has to be fetched without waiting any longer, unless nothing is to be fetched at this time.
    pub fn hasten(&mut self) -> Option<ChatOutput> {
        self.fetch_at.and_then(|_| self.fetch())
    }

    /// Which fetch of what has to be fetched is under way.
    pub const fn refetch(&self) -> Option<u64> {
        self.refetch
    }

    pub const fn poll_timeout(&self) -> Option<i64> {
        self.fetch_at
    }

    /// A connection is open.
    pub fn handle_open(&mut self) {
        self.retry_ms = RETRY_MS;
        self.fetch_again();
    }

    /// Nothing is fetched until it is said when.
    pub const fn suspend(&mut self) {
        self.fetch_at = None;
    }

    /// Something is missing after the newest message that the server has shown.
    pub fn miss(&mut self, newest: Option<&Entry>) {
        self.is_complete &= self.need == Need::History && newest.is_none();
        if self.need == Need::Nothing {
            self.known = newest.map(|newest| (newest.message.server_id.clone(), newest.key));
            let begins_anew = (newest.is_none() || self.is_reset) && self.config.can_load_earlier;
            self.need = if begins_anew { Need::History } else { Need::Missed };
        }
    }

    /// The server has lost its memory: all is to be fetched anew.
    pub fn reset(&mut self) {
        (self.is_reset, self.need, self.again) = (true, Need::Nothing, None);
        self.reset_token = self.token;
        // A page before what is fetched anew does not join it.
        self.earlier = None;
    }

    /// Fetches from the beginning: answers that are still to come are not waited for.
    pub fn restart(&mut self) {
        (self.refetch, self.fetched, self.cursor) = (None, 0, None);
    }

    /// Fetches at a time. Says whether the application can fetch anything.
    pub const fn schedule(&mut self, at: i64) -> bool {
        let can_fetch = self.config.can_load_earlier || self.config.can_load_missed;
        if can_fetch {
            self.fetch_at = Some(at);
        }
        can_fetch
    }

    /// The server has surely seen this side join.
    pub fn handle_join_seen(&mut self, now: i64) {
        self.fetch_again();
        self.restart();
        self.fetch_at = Some(now);
    }

    /// The oldest messages were forgotten.
    pub fn handle_forgotten(&mut self) {
        self.begin = None;
        self.may_have_earlier = self.config.can_load_earlier;
    }

    /// The user wants the page before the oldest message.
    pub fn load_earlier(&mut self, oldest: Option<&String>) -> Option<ChatOutput> {
        if self.earlier.is_some() {
            return None;
        }
        self.token += 1;
        self.earlier = Some(self.token);
        Some(ChatOutput::LoadEarlier { token: self.token, before: self.begin.as_ref().or(oldest).cloned() })
    }

    /// The fetch that the user asked for, while it is under way.
    pub const fn earlier(&self) -> Option<u64> {
        self.earlier
    }

    /// Whether a fetch brings what came after a message, and not what was before one.
    pub fn is_forward(&self, token: u64) -> bool {
        self.refetch == Some(token) && self.goes_forward()
    }

    /// Up to which time the messages of a fetch were there before.
    pub fn history_up_to(&self, token: u64) -> Option<Key> {
        let is_first = self.need == Need::History && self.known.is_none();
        if self.earlier == Some(token) || is_first { Some(Key::Pending) } else { self.known_key() }
    }

    /// A fetch has an answer, whose messages are in the timeline.
    pub fn handle_page(&mut self, token: u64, page: Page, timeline: &mut Timeline, is_join_seen: bool) -> Progress {
        let Page { first, last, count, has_more } = page;
        let is_earlier = self.earlier == Some(token);
        let is_refetch = self.refetch == Some(token);
        let is_forward = self.is_forward(token);
        let is_history = self.need == Need::History;
        if is_earlier || (is_refetch && is_history) {
            self.begin = first.clone().or_else(|| self.begin.take());
        }
        if is_earlier {
            self.earlier = None;
            self.may_have_earlier = has_more;
        }
        if !is_refetch {
            return Progress::Nothing;
        }
        self.refetch = None;
        self.retry_ms = RETRY_MS;
        self.fetched += count;
        let end = if is_forward { last } else { first };
        let oldest = timeline.entries().iter().find(|entry| end.is_some() && entry.message.server_id == end);
        let oldest = oldest.map(|oldest| oldest.key);
        let is_known = |known| oldest.is_some_and(|oldest| oldest <= known);
        let is_reached = is_history || self.known_key().is_none_or(is_known);
        let is_worth_it =
            if is_forward { end != self.cursor } else { !is_reached && self.fetched < self.config.max_messages };
        if has_more && end.is_some() && is_worth_it {
            self.cursor = end;
            return self.fetch().map_or(Progress::Nothing, Progress::Next);
        }
        if !is_forward && (is_history || !is_reached) {
            self.may_have_earlier = has_more;
        }
        if is_history {
            timeline.forget_stale();
        }
        if is_history && has_more {
            // Between these and the page there may be others.
            timeline.forget_before(oldest);
        }
        if !is_join_seen {
            self.again = Some((self.need, self.known.clone()));
        }
        self.need = Need::Nothing;
        self.is_reset = false;
        self.is_complete = true;
        Progress::Whole
    }

    /// A fetch has failed. What the user asked for is not tried again; the rest is, after 1, 2, 4, … 30 s while connected. Says whether it was the rest.
    pub fn handle_failure(&mut self, now: i64, token: u64, is_open: bool) -> bool {
        if self.earlier == Some(token) {
            self.earlier = None;
        }
        if self.refetch != Some(token) {
            return false;
        }
        self.refetch = None;
        if is_open {
            self.fetch_at = Some(now + self.retry_ms);
        }
        self.retry_ms = MAX_RETRY_MS.min(2 * self.retry_ms);
        true
    }

    pub fn handle_timeout(&mut self, now: i64) -> Option<ChatOutput> {
        self.fetch_at.filter(|at| now >= *at).and_then(|_| self.fetch())
    }

    fn fetch(&mut self) -> Option<ChatOutput> {
        self.fetch_at = None;
        if self.need == Need::Nothing {
            return None;
        }
        self.token += 1;
        let token = self.token;
        self.refetch = Some(token);
        let cursor = self.cursor.clone();
        Some(if self.goes_forward() {
            let known = self.known.as_ref().filter(|_| !self.is_reset);
            let after = cursor.or_else(|| known.and_then(|(id, _)| id.clone()));
            ChatOutput::LoadMissed { token, after }
        } else {
            ChatOutput::LoadEarlier { token, before: cursor }
        })
    }

    fn fetch_again(&mut self) {
        if let Some((need, known)) = self.again.take() {
            (self.need, self.known) = (need, known);
            // A page before what may be fetched anew does not join it.
            self.earlier = None;
        }
    }

    fn goes_forward(&self) -> bool {
        self.need == Need::Missed && self.config.can_load_missed
    }

    fn known_key(&self) -> Option<Key> {
        self.known.as_ref().map(|(_, key)| *key)
    }
}

const RETRY_MS: i64 = 1_000;
const MAX_RETRY_MS: i64 = 30_000;
