//! Who is connected, and who is in which room.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{connection::Connection, outgoing::Outgoing, reply::Refusal, sync::SharedLock as _};

/// Users, their connections, and the rooms (sessions and matches) they are members of.
///
/// Membership belongs to a user, not to a connection: it ends with the user's last connection.
pub struct Hub {
    state: RwLock<State>,
    last_id: AtomicU64,
    capacity: Capacity,
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    pub total: usize,
    pub per_user: usize,
}

/// Why there is no room for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    Server,
    User,
}

/// Where events go: a session of MasterX or a match of CoLabMatch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Room {
    Session(Arc<str>),
    Match(Arc<str>),
}

#[derive(Default)]
struct State {
    users: HashMap<Arc<str>, User>,
    rooms: HashMap<Room, HashSet<Arc<str>>>,
    connections: usize,
}

#[derive(Default)]
struct User {
    connections: Vec<Arc<Connection>>,
    rooms: HashSet<Room>,
}

impl Hub {
    pub fn new(capacity: Capacity) -> Self {
        Self { state: RwLock::default(), last_id: AtomicU64::new(0), capacity }
    }

    /// An id that no other connection of this process has.
    pub fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether another connection of this user would be taken.
    pub fn room_for(&self, user: &str) -> Result<(), Full> {
        let state = self.state.reading();
        self.capacity.check(&state, state.users.get(user))
    }

    /// Adds a connection and says whether it is the user's first.
    pub fn add(&self, connection: &Arc<Connection>) -> Result<bool, Full> {
        let mut state = self.state.writing();
        self.capacity.check(&state, state.users.get(&connection.user))?;
        state.connections += 1;
        let user = state.users.entry(connection.user.clone()).or_default();
        user.connections.push(connection.clone());
        Ok(user.connections.len() == 1)
    }

    /// Removes a connection. With a user's last one their memberships end; these rooms are returned.
    pub fn remove(&self, connection: &Connection) -> Option<Vec<Room>> {
        let mut state = self.state.writing();
        let State { users, rooms, connections } = &mut *state;
        let user = users.get_mut(&connection.user)?;
        let before = user.connections.len();
        user.connections.retain(|other| other.id != connection.id);
        *connections -= before - user.connections.len();
        if !user.connections.is_empty() {
            return None;
        }
        let left = users.remove(&connection.user)?.rooms;
        for room in &left {
            remove_member(rooms, room, &connection.user);
        }
        Some(left.into_iter().collect())
    }

    /// Makes a connected user a member. Joining twice is the same as joining once.
    pub fn join(&self, user: &Arc<str>, room: Room) -> Result<(), Refusal> {
        let mut state = self.state.writing();
        let State { users, rooms, .. } = &mut *state;
        let Some(entry) = users.get_mut(user) else { return Ok(()) };
        if entry.rooms.contains(&room) {
            return Ok(());
        }
        if entry.rooms.len() >= MAX_ROOMS_PER_USER {
            let message = format!("a user can be in {MAX_ROOMS_PER_USER} sessions at most");
            return Err(Refusal::new("too_many_sessions", message));
        }
        entry.rooms.insert(room.clone());
        rooms.entry(room).or_default().insert(user.clone());
        Ok(())
    }

    /// Ends a membership, if there is one.
    pub fn leave(&self, user: &Arc<str>, room: &Room) {
        let mut state = self.state.writing();
        let State { users, rooms, .. } = &mut *state;
        if users.get_mut(user).is_some_and(|entry| entry.rooms.remove(room)) {
            remove_member(rooms, room, user);
        }
    }

    pub fn is_member(&self, user: &str, room: &Room) -> bool {
        let state = self.state.reading();
        state.users.get(user).is_some_and(|user| user.rooms.contains(room))
    }

    pub fn is_online(&self, user: &str) -> bool {
        self.state.reading().users.contains_key(user)
    }

    /// Queues a frame for every connection of a user and says for how many.
    pub fn to_user(&self, user: &str, outgoing: &Outgoing) -> usize {
        let state = self.state.reading();
        state.users.get(user).map_or(0, |user| user.deliver(outgoing))
    }

    /// Queues a frame for every connection of a room's members, except for those of one user.
    pub fn to_room(&self, room: &Room, except: Option<&str>, outgoing: &Outgoing) -> usize {
        let state = self.state.reading();
        let Some(members) = state.rooms.get(room) else { return 0 };
        members
            .iter()
            .filter(|member| Some(&***member) != except)
            .filter_map(|member| state.users.get(member))
            .map(|user| user.deliver(outgoing))
            .sum()
    }

    /// Queues a frame for every connection.
    pub fn to_all(&self, outgoing: &Outgoing) -> usize {
        let state = self.state.reading();
        state.users.values().map(|user| user.deliver(outgoing)).sum()
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

    /// How many rooms have a member.
    pub fn rooms(&self) -> usize {
        self.state.reading().rooms.len()
    }
}

impl Capacity {
    fn check(&self, state: &State, user: Option<&User>) -> Result<(), Full> {
        if state.connections >= self.total {
            return Err(Full::Server);
        }
        if user.is_some_and(|user| user.connections.len() >= self.per_user) {
            return Err(Full::User);
        }
        Ok(())
    }
}

impl Full {
    /// One word for close reasons, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server full",
            Self::User => "too many connections of this user",
        }
    }
}

impl Room {
    pub fn session(id: &str) -> Self {
        Self::Session(id.into())
    }

    pub fn of_match(id: &str) -> Self {
        Self::Match(id.into())
    }
}

impl User {
    fn deliver(&self, outgoing: &Outgoing) -> usize {
        self.connections.iter().filter(|connection| connection.deliver(outgoing)).count()
    }
}

fn remove_member(rooms: &mut HashMap<Room, HashSet<Arc<str>>>, room: &Room, user: &Arc<str>) {
    if let Some(members) = rooms.get_mut(room) {
        members.remove(user);
        if members.is_empty() {
            rooms.remove(room);
        }
    }
}

/// Bounds what one user can make the server remember.
const MAX_ROOMS_PER_USER: usize = 100;
