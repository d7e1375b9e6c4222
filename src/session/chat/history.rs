//! The pages that are fetched.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use core::mem;

use serde_json::Value;

use super::Chat;
use crate::session::catch_up::{Page, Progress};
use crate::session::snapshot::ChatError;

impl Chat {
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
        if self.catch_up.is_outdated(token) {
            return;
        }
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
}

const LOAD_FAILED: &str = "load_failed";
