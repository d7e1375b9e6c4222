//! Who is connected, and who is in which session.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio_tungstenite::tungstenite::Message;

use crate::{connection::Connection, reply::Refusal, sync::SharedLock as _};

/// Users, their connections, and the sessions they are members of.
///
/// Membership belongs to a user, not to a connection: it ends with the user's last connection.
#[derive(Default)]
pub struct Hub {
    state: RwLock<State>,
    last_id: AtomicU64,
}

#[derive(Default)]
struct State {
    users: HashMap<Arc<str>, User>,
    sessions: HashMap<Arc<str>, HashSet<Arc<str>>>,
    connections: usize,
}

#[derive(Default)]
struct User {
    connections: Vec<Arc<Connection>>,
    sessions: HashSet<Arc<str>>,
}

impl Hub {
    /// An id that no other connection of this process has.
    pub fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Adds a connection.
    pub fn add(&self, connection: &Arc<Connection>) {
        let mut state = self.state.writing();
        state.connections += 1;
        let user = state.users.entry(connection.user.clone()).or_default();
        user.connections.push(connection.clone());
    }

    /// Removes a connection, and with a user's last one their memberships.
    pub fn remove(&self, connection: &Connection) {
        let mut state = self.state.writing();
        let State { users, sessions, connections } = &mut *state;
        let Some(user) = users.get_mut(&connection.user) else { return };
        let before = user.connections.len();
        user.connections.retain(|other| other.id != connection.id);
        *connections -= before - user.connections.len();
        if user.connections.is_empty() {
            for session in &user.sessions {
                remove_member(sessions, session, &connection.user);
            }
            users.remove(&connection.user);
        }
    }

    /// Makes a connected user a member. Joining twice is the same as joining once.
    pub fn join(&self, user: &Arc<str>, session: &str) -> Result<(), Refusal> {
        let mut state = self.state.writing();
        let State { users, sessions, .. } = &mut *state;
        let Some(entry) = users.get_mut(user) else { return Ok(()) };
        if entry.sessions.contains(session) {
            return Ok(());
        }
        if entry.sessions.len() >= MAX_SESSIONS_PER_USER {
            let message = format!("a user can be in {MAX_SESSIONS_PER_USER} sessions at most");
            return Err(Refusal::new("too_many_sessions", message));
        }
        let session: Arc<str> = session.into();
        entry.sessions.insert(session.clone());
        sessions.entry(session).or_default().insert(user.clone());
        Ok(())
    }

    /// Ends a membership; `false` when there was none.
    pub fn leave(&self, user: &Arc<str>, session: &str) -> bool {
        let mut state = self.state.writing();
        let State { users, sessions, .. } = &mut *state;
        let Some(entry) = users.get_mut(user) else { return false };
        let was_member = entry.sessions.remove(session);
        if was_member {
            remove_member(sessions, session, user);
        }
        was_member
    }

    pub fn is_member(&self, user: &str, session: &str) -> bool {
        let state = self.state.reading();
        state.users.get(user).is_some_and(|user| user.sessions.contains(session))
    }

    /// Queues a frame for every connection of a user and says for how many.
    pub fn to_user(&self, user: &str, message: &Message) -> usize {
        let state = self.state.reading();
        state.users.get(user).map_or(0, |user| user.deliver(message))
    }

    /// Queues a frame for every connection of a session's members, except for those of one user.
    pub fn to_session(&self, session: &str, except: Option<&str>, message: &Message) -> usize {
        let state = self.state.reading();
        let Some(members) = state.sessions.get(session) else { return 0 };
        members
            .iter()
            .filter(|member| Some(&***member) != except)
            .filter_map(|member| state.users.get(member))
            .map(|user| user.deliver(message))
            .sum()
    }

    /// Queues a frame for every connection.
    pub fn to_all(&self, message: &Message) -> usize {
        let state = self.state.reading();
        state.users.values().map(|user| user.deliver(message)).sum()
    }

    /// The connections of a user, or of everyone.
    pub fn connections(&self, user: Option<&str>) -> Vec<Arc<Connection>> {
        let state = self.state.reading();
        match user {
            Some(user) => state.users.get(user).map_or_else(Vec::new, |user| user.connections.clone()),
            None => state.users.values().flat_map(|user| &user.connections).cloned().collect(),
        }
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.state.reading().connections
    }
}

impl User {
    fn deliver(&self, message: &Message) -> usize {
        self.connections.iter().filter(|connection| connection.deliver(message)).count()
    }
}

fn remove_member(sessions: &mut HashMap<Arc<str>, HashSet<Arc<str>>>, session: &str, user: &Arc<str>) {
    if let Some(members) = sessions.get_mut(session) {
        members.remove(user);
        if members.is_empty() {
            sessions.remove(session);
        }
    }
}

/// Bounds what one user can make the server remember.
const MAX_SESSIONS_PER_USER: usize = 100;
