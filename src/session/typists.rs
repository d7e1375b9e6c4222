//! Who types.

use alloc::string::String;
use alloc::vec::Vec;

use super::members::MOST_USERS;

/// The users who type, in the order in which they began, each believed for a while.
#[derive(Debug)]
pub struct Typists {
    /// How long a user is believed to type, in milliseconds.
    clear_ms: i64,
    /// The users, and until when.
    users: Vec<(String, i64)>,
}

impl Typists {
    pub const fn new(clear_ms: i64) -> Self {
        Self { clear_ms, users: Vec::new() }
    }

    /// The server says that a user types, or has stopped.
    pub fn hear(&mut self, now: i64, user: String, is_typing: bool) {
        let until = now + self.clear_ms;
        match self.users.iter().position(|(known, _)| *known == user) {
            Some(known) if !is_typing => {
                self.users.remove(known);
            }
            Some(known) => self.users[known].1 = until,
            None if is_typing && self.users.len() < MOST_USERS => self.users.push((user, until)),
            None => {}
        }
    }

    pub fn forget(&mut self, user: &str) {
        self.users.retain(|(known, _)| known != user);
    }

    pub fn clear(&mut self) {
        self.users.clear();
    }

    pub fn users(&self) -> impl Iterator<Item = &String> {
        self.users.iter().map(|(user, _)| user)
    }

    pub fn poll_timeout(&self) -> Option<i64> {
        self.users.iter().map(|(_, until)| *until).min()
    }

    pub fn handle_timeout(&mut self, now: i64) {
        self.users.retain(|(_, until)| now < *until);
    }
}
