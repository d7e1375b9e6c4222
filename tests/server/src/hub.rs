//! Who is connected, and who is in which room.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
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
    rooms: HashMap<Room, Members>,
    connections: usize,
    /// The users whose events are stored, and the rooms that they get events of, also while they are away.
    streamed: HashMap<Arc<str>, HashSet<Room>>,
}

#[derive(Default)]
struct Members {
    present: HashSet<Arc<str>>,
    streamed: HashSet<Arc<str>>,
}

/// Who gets an event of a room.
pub struct Audience {
    /// Connections that get it at once.
    pub plain: Vec<Arc<Connection>>,
    /// Users whose events are stored.
    pub streamed: Vec<Arc<str>>,
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
        let State { users, rooms, connections, .. } = &mut *state;
        let user = users.get_mut(&connection.user)?;
        let before = user.connections.len();
        user.connections.retain(|other| other.id != connection.id);
        *connections -= before - user.connections.len();
        if !user.connections.is_empty() {
            return None;
        }
        let left = users.remove(&connection.user)?.rooms;
        for room in &left {
            remove_member(rooms, room, |members| &mut members.present, &connection.user);
        }
        Some(left.into_iter().collect())
    }

    /// Makes a connected user a member. Joining twice is the same as joining once.
    pub fn join(&self, user: &Arc<str>, room: Room) -> Result<(), Refusal> {
        let mut state = self.state.writing();
        let State { users, rooms, streamed, .. } = &mut *state;
        let Some(entry) = users.get_mut(user) else { return Ok(()) };
        if entry.rooms.contains(&room) {
            return Ok(());
        }
        if entry.rooms.len() >= MAX_ROOMS_PER_USER {
            let message = format!("a user can be in {MAX_ROOMS_PER_USER} sessions at most");
            return Err(Refusal::new("too_many_sessions", message));
        }
        entry.rooms.insert(room.clone());
        let members = rooms.entry(room.clone()).or_default();
        members.present.insert(user.clone());
        if let Some(own) = streamed.get_mut(user) {
            members.streamed.insert(user.clone());
            own.insert(room);
        }
        Ok(())
    }

    /// Ends a membership, if there is one.
    pub fn leave(&self, user: &Arc<str>, room: &Room) {
        let mut state = self.state.writing();
        let State { users, rooms, streamed, .. } = &mut *state;
        if users.get_mut(user).is_some_and(|entry| entry.rooms.remove(room)) {
            remove_member(rooms, room, |members| &mut members.present, user);
        }
        if streamed.get_mut(user).is_some_and(|own| own.remove(room)) {
            remove_member(rooms, room, |members| &mut members.streamed, user);
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
            .present
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

    /// A user's events are stored from now on. Returns the rooms that they are in, if that is news.
    pub fn begin_stream(&self, user: &Arc<str>) -> Vec<Room> {
        if self.is_streamed(user) {
            return Vec::new();
        }
        let rooms = self.state.reading().users.get(user).map_or_else(HashSet::new, |user| user.rooms.clone());
        self.restore(user, rooms.iter().cloned().collect());
        rooms.into_iter().collect()
    }

    /// A user's events are stored, and were so before the server started.
    pub fn restore(&self, user: &Arc<str>, stored: Vec<Room>) {
        let mut state = self.state.writing();
        let State { rooms, streamed, .. } = &mut *state;
        let own = streamed.entry(user.clone()).or_default();
        for room in stored {
            rooms.entry(room.clone()).or_default().streamed.insert(user.clone());
            own.insert(room);
        }
    }

    /// A user's events are no longer stored.
    pub fn end_stream(&self, user: &Arc<str>) {
        let mut state = self.state.writing();
        let State { rooms, streamed, .. } = &mut *state;
        for room in streamed.remove(user).unwrap_or_default() {
            remove_member(rooms, &room, |members| &mut members.streamed, user);
        }
    }

    /// Ends the memberships beyond the limit that a user has only because they were a member some time ago.
    pub fn take_surplus(&self, user: &Arc<str>) -> Vec<(Arc<str>, Room)> {
        let mut state = self.state.writing();
        match state.streamed.get(user) {
            Some(own) if own.len() > MAX_ROOMS_PER_USER => state.take_past_rooms(user),
            _ => Vec::new(),
        }
    }

    /// Ends the memberships that users had before they were away, where they have been back for some time.
    pub fn take_lapsed(&self, back_for: Duration) -> Vec<(Arc<str>, Room)> {
        let mut state = self.state.writing();
        let is_back = |user: &&Arc<str>| {
            let connections = state.users.get(*user).into_iter().flat_map(|user| &user.connections);
            connections.map(|connection| connection.age()).max().is_some_and(|age| age > back_for)
        };
        let back: Vec<_> = state.streamed.keys().filter(is_back).cloned().collect();
        back.iter().flat_map(|user| state.take_past_rooms(user)).collect()
    }

    /// Whether a user's events are stored.
    pub fn is_streamed(&self, user: &str) -> bool {
        self.state.reading().streamed.contains_key(user)
    }

    /// Whether those of anyone in a room are.
    pub fn has_streamed(&self, room: &Room) -> bool {
        self.state.reading().rooms.get(room).is_some_and(|members| !members.streamed.is_empty())
    }

    /// Who gets an event of a room.
    pub fn audience(&self, room: &Room, except: Option<&str>) -> Audience {
        let state = self.state.reading();
        let Some(members) = state.rooms.get(room) else { return Audience { plain: Vec::new(), streamed: Vec::new() } };
        let others = |user: &&Arc<str>| Some(&***user) != except;
        let plain = members.present.iter().filter(others).filter(|user| !members.streamed.contains(*user));
        Audience {
            plain: plain.filter_map(|user| state.users.get(user)).flat_map(|user| &user.connections).cloned().collect(),
            streamed: members.streamed.iter().filter(others).cloned().collect(),
        }
    }

    /// Who gets an event for everyone.
    pub fn everyone(&self) -> Audience {
        let state = self.state.reading();
        let plain = state.users.iter().filter(|(user, _)| !state.streamed.contains_key(*user));
        Audience {
            plain: plain.flat_map(|(_, user)| &user.connections).cloned().collect(),
            streamed: state.streamed.keys().cloned().collect(),
        }
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

    /// How many rooms have a member who is there.
    pub fn rooms(&self) -> usize {
        self.state.reading().rooms.values().filter(|members| !members.present.is_empty()).count()
    }
}

impl State {
    /// Ends a user's memberships in rooms that they have joined on an earlier connection only.
    fn take_past_rooms(&mut self, user: &Arc<str>) -> Vec<(Arc<str>, Room)> {
        let Self { users, rooms, streamed, .. } = self;
        let Some(own) = streamed.get_mut(user) else { return Vec::new() };
        let present = users.get(user).map(|user| &user.rooms);
        let past: Vec<Room> = own.extract_if(|room| present.is_none_or(|present| !present.contains(room))).collect();
        for room in &past {
            remove_member(rooms, room, |members| &mut members.streamed, user);
        }
        past.into_iter().map(|room| (user.clone(), room)).collect()
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

impl Audience {
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.streamed.is_empty()
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

fn remove_member(
    rooms: &mut HashMap<Room, Members>,
    room: &Room,
    list: impl Fn(&mut Members) -> &mut HashSet<Arc<str>>,
    user: &Arc<str>,
) {
    if let Some(members) = rooms.get_mut(room) {
        list(members).remove(user);
        if members.present.is_empty() && members.streamed.is_empty() {
            rooms.remove(room);
        }
    }
}

/// Bounds what one user can make the server remember.
pub const MAX_ROOMS_PER_USER: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::{Connection, QueueLimits},
        token::Ticket,
    };

    #[test]
    fn who_was_away_gets_the_events_of_their_rooms_until_they_are_back_and_have_not_joined_again() {
        let hub = Hub::new(Capacity { total: 9, per_user: 9 });
        let ada = Arc::<str>::from("ada");
        let connect =
            || Connection::new(hub.next_id(), &Ticket::of("ada"), QueueLimits { frames: 1, bytes: 1 }, false).0;
        let [kept, lost] = ["kept", "lost"].map(Room::session);
        let streamed = |room: &Room| hub.audience(room, None).streamed.len();
        let first = connect();
        hub.add(&first).unwrap();
        hub.join(&ada, kept.clone()).unwrap();
        hub.join(&ada, lost.clone()).unwrap();
        assert_eq!(hub.begin_stream(&ada).len(), 2);
        hub.remove(&first);
        assert!(hub.take_lapsed(Duration::ZERO).is_empty());
        assert_eq!((streamed(&kept), streamed(&lost), hub.rooms()), (1, 1, 0));
        hub.add(&connect()).unwrap();
        hub.join(&ada, kept.clone()).unwrap();
        assert!(hub.take_lapsed(Duration::from_secs(60)).is_empty());
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(hub.take_lapsed(Duration::ZERO), [(ada, lost.clone())]);
        assert_eq!((streamed(&kept), streamed(&lost), hub.rooms()), (1, 0, 1));
    }
}
