//! Who is there.

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::dialect::text;
use super::snapshot::ChatMember;

/// The members, as the server named them last.
#[derive(Debug, Default)]
pub struct Members {
    members: Vec<ChatMember>,
    /// Whether the server has named all of them. Before that it only says of users, members or not, that they come and go.
    are_listed: bool,
}

impl Members {
    pub fn iter(&self) -> impl Iterator<Item = &ChatMember> {
        self.members.iter()
    }

    pub const fn are_listed(&self) -> bool {
        self.are_listed
    }

    pub fn clear(&mut self) {
        self.members.clear();
        self.are_listed = false;
    }

    /// The server has named all of them.
    pub fn list(&mut self, members: &[Value]) {
        self.clear();
        for member in members.iter().filter_map(Value::as_object) {
            if let Some(user) = text(member, "user_id").filter(|user| !user.is_empty()) {
                self.set(user, member.get("online") == Some(&Value::Bool(true)));
            }
        }
        self.are_listed = true;
    }

    /// A user has come or gone. Who is not listed where all are is no member.
    pub fn turn(&mut self, user: String, online: bool) {
        if !self.are_listed || self.members.iter().any(|member| member.user_id == user) {
            self.set(user, online);
        }
    }

    fn set(&mut self, user_id: String, online: bool) {
        if let Some(member) = self.members.iter_mut().find(|member| member.user_id == user_id) {
            member.online = online;
        } else if self.members.len() < MOST_USERS {
            self.members.push(ChatMember { user_id, online });
        }
    }
}

/// How many users of a conversation are remembered.
pub const MOST_USERS: usize = 1_000;
