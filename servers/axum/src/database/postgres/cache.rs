//! What is known of rows that only this node writes, or whose changes by others it is told of.
//!
//! It is looked at under the lock and brought up to date at the beginning of each transaction, so it is never older than the database.

use std::collections::HashMap;

#[derive(Default)]
pub struct Cache {
    users: HashMap<String, User>,
    /// Ids for rows of `everwire_sent`, reserved.
    pub sent_ids: Vec<i64>,
}

#[derive(Default)]
struct User {
    streams: HashMap<String, (i64, u64)>,
    clients: HashMap<String, Progress>,
    /// By client id, whether there are others.
    has_others: HashMap<String, bool>,
    /// Bytes of events since it was asked last how many there are.
    unchecked_bytes: u64,
}

/// How far a client is.
#[derive(Clone)]
pub struct Progress {
    pub last: u64,
    pub owner: Option<String>,
}

impl Cache {
    /// The id of a stream and its newest offset.
    pub fn stream(&self, user: &str, name: &str) -> Option<(i64, u64)> {
        self.users.get(user)?.streams.get(name).copied()
    }

    pub fn set_stream(&mut self, user: &str, name: &str, id: i64, newest: u64) {
        self.user(user).streams.insert(name.to_owned(), (id, newest));
    }

    /// Another node has stored events in a stream.
    pub fn stream_has_grown(&mut self, user: &str, name: &str, newest: u64) {
        if let Some((_, known)) = self.users.get_mut(user).and_then(|user| user.streams.get_mut(name)) {
            *known = newest;
        }
    }

    pub fn forget_stream(&mut self, user: &str, name: &str) {
        if let Some(user) = self.users.get_mut(user) {
            user.streams.remove(name);
        }
    }

    pub fn progress(&self, user: &str, client_id: &str) -> Option<Progress> {
        self.users.get(user)?.clients.get(client_id).cloned()
    }

    pub fn set_progress(&mut self, user: &str, client_id: &str, progress: Progress) {
        self.user(user).clients.insert(client_id.to_owned(), progress);
    }

    /// The progress of a client that was found where it was expected.
    pub fn advance(&mut self, user: &str, client_id: &str, last: u64) {
        if let Some(progress) = self.users.get_mut(user).and_then(|user| user.clients.get_mut(client_id)) {
            progress.last = last;
        }
    }

    pub fn forget_clients(&mut self, user: &str) {
        if let Some(user) = self.users.get_mut(user) {
            user.clients.clear();
            user.has_others.clear();
        }
    }

    pub fn has_others(&self, user: &str, client_id: &str) -> Option<bool> {
        self.users.get(user)?.has_others.get(client_id).copied()
    }

    pub fn set_has_others(&mut self, user: &str, client_id: &str, has_others: bool) {
        self.user(user).has_others.insert(client_id.to_owned(), has_others);
    }

    /// Counts bytes of a user, and says whether there are so many since the last time that it said so.
    pub fn count(&mut self, user: &str, bytes: usize, max: u64) -> bool {
        let user = self.user(user);
        user.unchecked_bytes += bytes as u64;
        if user.unchecked_bytes < max {
            return false;
        }
        user.unchecked_bytes = 0;
        true
    }

    /// Another node has changed something about a user.
    pub fn forget_user(&mut self, user: &str) {
        self.users.remove(user);
    }

    /// Everything but reserved ids.
    pub fn forget_all(&mut self) {
        self.users.clear();
    }

    fn user(&mut self, user: &str) -> &mut User {
        // Beyond this, what is needed is read again.
        if self.users.len() > MAX_USERS && !self.users.contains_key(user) {
            self.users.clear();
        }
        self.users.entry(user.to_owned()).or_default()
    }
}

const MAX_USERS: usize = 50_000;
