//! Who is connected, and who is in which room.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;

use crate::{
    bus::{Bus, To},
    connection::Connection,
    outgoing::Outgoing,
    refusal::Refusal,
    room::Room,
};

/// Users, their connections, and the rooms they are members of.
///
/// Membership belongs to a user, not to a connection: it ends when the last connection that has joined leaves, and with the user's last
/// connection, unless the database has it.
pub struct Hub {
    state: RwLock<State>,
    last_id: AtomicU64,
    capacity: Capacity,
    /// The way to other nodes, if there are any.
    bus: OnceLock<Arc<Bus>>,
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub total: usize,
    pub per_user: usize,
}

/// Why there is no room for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Server,
    User,
}

#[derive(Default)]
struct State {
    users: HashMap<Arc<str>, User>,
    rooms: HashMap<Room, Members>,
    connections: usize,
    /// Rooms whose members, or the presence of one, have changed since someone asked.
    changed: HashSet<Room>,
    /// The users whose events are stored, and the rooms that they get events of, also while they are away. The database has the same.
    streamed: HashMap<Arc<str>, HashSet<Room>>,
}

#[derive(Default)]
struct Members {
    present: HashSet<Arc<str>>,
    /// Those for whom events are stored: they are present and have a stream, or the room is stored.
    streamed: HashSet<Arc<str>>,
}

/// Who gets an event of a room.
pub struct Audience {
    /// Connections that get it at once.
    pub plain: Vec<Arc<Connection>>,
    /// Users whose events are stored.
    pub streamed: Vec<Arc<str>>,
    /// Whom other nodes are to give it at once.
    pub(crate) elsewhere: Option<To>,
}

#[derive(Default)]
struct User {
    connections: Vec<Arc<Connection>>,
    rooms: HashMap<Room, Membership>,
}

/// What keeps a user in a room.
#[derive(Default)]
struct Membership {
    /// The ids of the connections that have joined and not left.
    joined: Vec<u64>,
    /// Whether one has left since, so that those that have joined keep the user in, and nothing else does.
    left: bool,
}

/// How it stood with a room before a connection joined or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    is_member: bool,
    has_joined: bool,
    left: bool,
}

impl Hub {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self { state: RwLock::default(), last_id: AtomicU64::new(0), capacity, bus: OnceLock::new() }
    }

    pub(crate) fn set_bus(&self, bus: Arc<Bus>) {
        let _ = self.bus.set(bus);
    }

    pub(crate) fn bus(&self) -> Option<&Arc<Bus>> {
        self.bus.get()
    }

    /// Whether a user is connected to another node.
    pub(crate) fn is_elsewhere(&self, user: &str) -> bool {
        self.bus().is_some_and(|bus| bus.is_elsewhere(user))
    }

    /// A user has come online at another node, or gone from it: news for their rooms.
    pub(crate) fn presence_changed(&self, user: &str) {
        self.state.write().presence_changed(user);
    }

    /// Queues an event that another node has sent.
    pub(crate) fn told(&self, to: &To, stored: bool, kind: &str, frame: String) {
        let outgoing = Outgoing::text(kind, frame);
        match to {
            To::User(user) => {
                self.to_user(user, &outgoing);
            }
            To::Room(room) if stored => deliver(&self.audience(&Room::new(room), None).plain, &outgoing),
            To::Room(room) => {
                self.to_room(&Room::new(room), None, &outgoing);
            }
            To::Everyone if stored => deliver(&self.everyone().plain, &outgoing),
            To::Everyone => {
                self.to_all(&outgoing);
            }
        }
    }

    /// An id that no other connection of this process has.
    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether another connection of this user would be taken.
    pub(crate) fn room_for(&self, user: &str) -> Result<(), Full> {
        let state = self.state.read();
        self.capacity.check(&state, state.users.get(user))
    }

    /// Adds a connection and says whether it is the user's first.
    pub(crate) fn add(&self, connection: &Arc<Connection>) -> Result<bool, Full> {
        let mut state = self.state.write();
        self.capacity.check(&state, state.users.get(&connection.user))?;
        state.connections += 1;
        let user = state.users.entry(connection.user.clone()).or_default();
        user.connections.push(connection.clone());
        let is_first = user.connections.len() == 1;
        if is_first {
            state.presence_changed(&connection.user);
        }
        Ok(is_first)
    }

    /// Removes a connection. With a user's last one their memberships end; these rooms are returned.
    pub(crate) fn remove(&self, connection: &Connection) -> Option<Vec<Room>> {
        let mut state = self.state.write();
        let State { users, connections, .. } = &mut *state;
        let user = users.get_mut(&connection.user)?;
        let before = user.connections.len();
        user.connections.retain(|other| other.id != connection.id);
        *connections -= before - user.connections.len();
        if !user.connections.is_empty() {
            state.forget_joins(connection);
            return None;
        }
        let left: Vec<Room> = users.remove(&connection.user)?.rooms.into_keys().collect();
        state.presence_changed(&connection.user);
        for room in &left {
            state.place(&connection.user, room);
        }
        Some(left)
    }

    /// Makes the user of a connection a member. Joining twice is the same as joining once.
    pub fn join(&self, from: &Connection, room: Room) -> Result<(), Refusal> {
        let user = &from.user;
        let mut state = self.state.write();
        // Another of their devices may have joined, and this one has not been told who is there.
        state.changed.insert(room.clone());
        let Some(entry) = state.users.get_mut(user) else { return Ok(()) };
        let is_here = entry.connections.iter().any(|connection| connection.id == from.id);
        let joiner = is_here.then_some(from.id);
        if let Some(membership) = entry.rooms.get_mut(&room) {
            membership.left = false;
            membership.joined.extend(joiner.filter(|id| !membership.joined.contains(id)));
            return Ok(());
        }
        if entry.rooms.len() >= MAX_ROOMS_PER_USER {
            let message = format!("a user can be in {MAX_ROOMS_PER_USER} sessions at most");
            return Err(Refusal::new("too_many_sessions", message));
        }
        entry.rooms.insert(room.clone(), Membership { joined: joiner.into_iter().collect(), left: false });
        state.place(user, &room);
        Ok(())
    }

    /// A connection is no longer in a room. Its user is as long as another one of theirs has joined it.
    pub fn leave(&self, from: &Connection, room: &Room) {
        let mut state = self.state.write();
        let Some(user) = state.users.get_mut(&from.user) else { return };
        let Some(membership) = user.rooms.get_mut(room) else { return };
        membership.joined.retain(|id| *id != from.id);
        membership.left = true;
        if membership.joined.is_empty() {
            user.rooms.remove(room);
            state.place(&from.user, room);
        }
    }

    /// How it stands with a connection and a room.
    pub(crate) fn standing(&self, from: &Connection, room: &Room) -> Standing {
        let state = self.state.read();
        let membership = state.users.get(&from.user).and_then(|user| user.rooms.get(room));
        Standing {
            is_member: membership.is_some(),
            has_joined: membership.is_some_and(|membership| membership.joined.contains(&from.id)),
            left: membership.is_some_and(|membership| membership.left),
        }
    }

    /// A connection has neither joined nor left a room since then.
    pub(crate) fn restore(&self, from: &Connection, room: &Room, before: Standing) {
        let mut state = self.state.write();
        let Some(user) = state.users.get_mut(&from.user) else { return };
        let mut membership = user.rooms.remove(room).unwrap_or_default();
        membership.joined.retain(|id| *id != from.id);
        if before.has_joined {
            membership.joined.push(from.id);
        }
        membership.left = before.left;
        if before.is_member || !membership.joined.is_empty() {
            user.rooms.insert(room.clone(), membership);
        }
        state.place(&from.user, room);
    }

    /// Whether another connection of this one's user to this process has joined a room.
    pub(crate) fn others_have_joined(&self, from: &Connection, room: &Room) -> bool {
        let state = self.state.read();
        let membership = state.users.get(&from.user).and_then(|user| user.rooms.get(room));
        membership.is_some_and(|membership| membership.joined.iter().any(|id| *id != from.id))
    }

    /// A connection that another one of the same client has replaced keeps its user in no room.
    pub(crate) fn forget_joins(&self, connection: &Connection) {
        self.state.write().forget_joins(connection);
    }

    /// Whether events of a room are for a user, connected or not.
    pub(crate) fn is_in(&self, user: &str, room: &Room) -> bool {
        let state = self.state.read();
        let members = state.rooms.get(room);
        members.is_some_and(|members| members.present.contains(user) || members.streamed.contains(user))
    }

    /// Ends a membership, if there is one, for all connections.
    pub fn expel(&self, user: &Arc<str>, room: &Room) {
        let mut state = self.state.write();
        if let Some(entry) = state.users.get_mut(user) {
            entry.rooms.remove(room);
        }
        if let Some(stored) = state.streamed.get_mut(user) {
            stored.remove(room);
        }
        state.place(user, room);
    }

    /// Whether a user is in a room, and connected.
    pub fn is_member(&self, user: &str, room: &Room) -> bool {
        let state = self.state.read();
        state.users.get(user).is_some_and(|user| user.rooms.contains_key(room))
    }

    /// Whether a user is connected, to this node or another.
    pub fn is_online(&self, user: &str) -> bool {
        self.is_here(user) || self.is_elsewhere(user)
    }

    /// Whether a user is connected to this process.
    pub fn is_here(&self, user: &str) -> bool {
        self.state.read().users.contains_key(user)
    }

    /// Queues a frame for every connection of a user and says for how many.
    pub fn to_user(&self, user: &str, outgoing: &Outgoing) -> usize {
        let state = self.state.read();
        state.users.get(user).map_or(0, |user| user.deliver(outgoing))
    }

    /// The same, except for one connection.
    pub fn to_user_but(&self, user: &str, except: Option<u64>, outgoing: &Outgoing) -> usize {
        let state = self.state.read();
        let connections = state.users.get(user).into_iter().flat_map(|user| &user.connections);
        connections.filter(|connection| Some(connection.id) != except && connection.deliver(outgoing)).count()
    }

    /// Queues a frame for every connection of a room's members, except for the one that it comes from.
    pub fn to_room(&self, room: &Room, except: Option<u64>, outgoing: &Outgoing) -> usize {
        let state = self.state.read();
        let Some(members) = state.rooms.get(room) else { return 0 };
        members
            .present
            .iter()
            .filter_map(|member| state.users.get(member))
            .flat_map(|user| &user.connections)
            .filter(|connection| Some(connection.id) != except && connection.deliver(outgoing))
            .count()
    }

    /// Sends an event to the connections that a user has to this node and others, except for one, at most once. Says how many are here.
    pub fn tell_user(&self, user: &str, except: Option<u64>, kind: &str, outgoing: &Outgoing) -> usize {
        if let Some(bus) = self.bus().filter(|bus| bus.is_elsewhere(user)) {
            bus.tell(To::User(user.to_owned()), kind, outgoing, false);
        }
        self.to_user_but(user, except, outgoing)
    }

    /// The same for those of a room's members.
    pub fn tell_room(&self, room: &Room, except: Option<u64>, kind: &str, outgoing: &Outgoing) -> usize {
        if let Some(bus) = self.bus() {
            bus.tell(To::Room(room.as_str().to_owned()), kind, outgoing, false);
        }
        self.to_room(room, except, outgoing)
    }

    /// The same for everyone.
    pub fn tell_all(&self, kind: &str, outgoing: &Outgoing) -> usize {
        if let Some(bus) = self.bus() {
            bus.tell(To::Everyone, kind, outgoing, false);
        }
        self.to_all(outgoing)
    }

    /// Who gets an event that is for a user.
    pub fn audience_of_user(&self, user: &str) -> Audience {
        if self.is_streamed(user) {
            Audience { plain: Vec::new(), streamed: vec![user.into()], elsewhere: None }
        } else {
            let elsewhere = self.is_elsewhere(user).then(|| To::User(user.to_owned()));
            Audience { plain: self.connections(Some(user)), streamed: Vec::new(), elsewhere }
        }
    }

    /// Queues a frame for every connection.
    pub fn to_all(&self, outgoing: &Outgoing) -> usize {
        let state = self.state.read();
        state.users.values().map(|user| user.deliver(outgoing)).sum()
    }

    /// A room in which more is to be told than its members.
    pub fn set_changed(&self, room: Room) {
        self.state.write().changed.insert(room);
    }

    /// The rooms that have changed since the last time.
    pub fn take_changed(&self) -> HashSet<Room> {
        if self.state.read().changed.is_empty() {
            return HashSet::new();
        }
        std::mem::take(&mut self.state.write().changed)
    }

    /// The members of a room, by name, and whether they are connected.
    pub fn members(&self, room: &Room) -> BTreeMap<Arc<str>, bool> {
        let state = self.state.read();
        let members = state.rooms.get(room).into_iter().flat_map(|members| members.present.union(&members.streamed));
        let is_online = |user: &str| state.users.contains_key(user) || self.is_elsewhere(user);
        members.map(|user| (user.clone(), is_online(user))).collect()
    }

    /// The rooms that a connected user is in.
    pub fn rooms_of(&self, user: &str) -> Vec<Room> {
        let state = self.state.read();
        state.users.get(user).map_or_else(Vec::new, |user| user.rooms.keys().cloned().collect())
    }

    /// Whether a user gets the events of a room also while they are away.
    pub(crate) fn is_stored(&self, user: &str, room: &Room) -> bool {
        self.state.read().streamed.get(user).is_some_and(|stored| stored.contains(room))
    }

    /// What the database has about a user: the rooms whose events are stored for them, or that none are.
    pub(crate) fn set_stored(&self, user: &Arc<str>, stored: Option<Vec<Room>>) {
        let mut state = self.state.write();
        let before = match stored {
            Some(stored) => state.streamed.insert(user.clone(), stored.into_iter().collect()),
            None => state.streamed.remove(user),
        };
        let after = state.streamed.get(user).into_iter().flatten();
        let present = state.users.get(user).into_iter().flat_map(|user| user.rooms.keys());
        let concerned: HashSet<Room> = after.chain(present).cloned().chain(before.into_iter().flatten()).collect();
        for room in &concerned {
            state.place(user, room);
        }
    }

    /// Nothing is stored any more for users who are not among these.
    pub(crate) fn keep_stored(&self, is_among: impl Fn(&str) -> bool) {
        let gone: Vec<Arc<str>> = {
            let state = self.state.read();
            state.streamed.keys().filter(|user| !is_among(user)).cloned().collect()
        };
        for user in gone {
            self.set_stored(&user, None);
        }
    }

    /// Whether a user's events are stored.
    pub fn is_streamed(&self, user: &str) -> bool {
        self.state.read().streamed.contains_key(user)
    }

    /// Whether those of anyone in a room are.
    pub fn has_streamed(&self, room: &Room) -> bool {
        self.state.read().rooms.get(room).is_some_and(|members| !members.streamed.is_empty())
    }

    /// Who gets an event of a room, except for the connection that it comes from.
    pub fn audience(&self, room: &Room, except: Option<u64>) -> Audience {
        let state = self.state.read();
        let elsewhere = self.bus().map(|_| To::Room(room.as_str().to_owned()));
        let Some(members) = state.rooms.get(room) else {
            return Audience { plain: Vec::new(), streamed: Vec::new(), elsewhere };
        };
        let plain = members.present.iter().filter(|user| !members.streamed.contains(*user));
        let connections = plain.filter_map(|user| state.users.get(user)).flat_map(|user| &user.connections);
        Audience {
            plain: connections.filter(|connection| Some(connection.id) != except).cloned().collect(),
            streamed: members.streamed.iter().cloned().collect(),
            elsewhere,
        }
    }

    /// Who gets an event for everyone.
    pub fn everyone(&self) -> Audience {
        let state = self.state.read();
        let plain = state.users.iter().filter(|(user, _)| !state.streamed.contains_key(*user));
        Audience {
            plain: plain.flat_map(|(_, user)| &user.connections).cloned().collect(),
            streamed: state.streamed.keys().cloned().collect(),
            elsewhere: self.bus().map(|_| To::Everyone),
        }
    }

    /// The connections of a user, or of everyone.
    pub fn connections(&self, user: Option<&str>) -> Vec<Arc<Connection>> {
        let state = self.state.read();
        match user {
            Some(user) => state.users.get(user).map_or_else(Vec::new, |user| user.connections.clone()),
            None => state.users.values().flat_map(|user| &user.connections).cloned().collect(),
        }
    }

    /// The connections of those who are in a room.
    pub fn connections_in(&self, room: &Room) -> Vec<Arc<Connection>> {
        let state = self.state.read();
        let present = state.rooms.get(room).into_iter().flat_map(|members| &members.present);
        present.filter_map(|user| state.users.get(user)).flat_map(|user| &user.connections).cloned().collect()
    }

    /// How many connections there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.state.read().connections
    }

    /// How many rooms have a member who is there.
    pub fn rooms(&self) -> usize {
        self.state.read().rooms.values().filter(|members| !members.present.is_empty()).count()
    }
}

fn deliver(connections: &[Arc<Connection>], outgoing: &Outgoing) {
    for connection in connections {
        connection.deliver(outgoing);
    }
}

impl State {
    /// A user has come or gone: news for the rooms that they are a member of also while they are away.
    fn presence_changed(&mut self, user: &str) {
        let stored = self.streamed.get(user);
        self.changed.extend(stored.into_iter().flatten().cloned());
    }

    fn forget_joins(&mut self, connection: &Connection) {
        let Some(user) = self.users.get_mut(&connection.user) else { return };
        let mut left = Vec::new();
        user.rooms.retain(|room, membership| {
            membership.joined.retain(|id| *id != connection.id);
            let stays = !membership.left || !membership.joined.is_empty();
            if !stays {
                left.push(room.clone());
            }
            stays
        });
        for room in &left {
            self.place(&connection.user, room);
        }
    }

    /// Puts a user where they belong among the members of a room, after their own entries have changed.
    fn place(&mut self, user: &Arc<str>, room: &Room) {
        let present = self.users.get(user).is_some_and(|user| user.rooms.contains_key(room));
        let stored = self.streamed.get(user);
        let streamed = stored.is_some_and(|stored| present || stored.contains(room));
        if !present && !streamed {
            let Some(members) = self.rooms.get_mut(room) else { return };
            if members.present.remove(user) | members.streamed.remove(user) {
                self.changed.insert(room.clone());
            }
            if members.present.is_empty() && members.streamed.is_empty() {
                self.rooms.remove(room);
            }
            return;
        }
        let members = self.rooms.entry(room.clone()).or_default();
        if !members.present.contains(user) && !members.streamed.contains(user) {
            self.changed.insert(room.clone());
        }
        for (list, belongs) in [(&mut members.present, present), (&mut members.streamed, streamed)] {
            if belongs {
                list.insert(user.clone());
            } else {
                list.remove(user);
            }
        }
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
    /// Whether anyone else than this user is among them.
    pub fn has_others(&self, than: &str) -> bool {
        self.plain.iter().any(|connection| &*connection.user != than)
            || self.streamed.iter().any(|user| &**user != than)
    }
}

impl User {
    fn deliver(&self, outgoing: &Outgoing) -> usize {
        self.connections.iter().filter(|connection| connection.deliver(outgoing)).count()
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
    fn events_are_stored_for_who_is_away_where_the_database_says_so_and_for_who_is_there_where_they_are() {
        let hub = Hub::new(Capacity { total: 9, per_user: 9 });
        let ada = Arc::<str>::from("ada");
        let connect =
            || Connection::new(hub.next_id(), &Ticket::of("ada"), QueueLimits { frames: 1, bytes: 1 }, false).0;
        let [stored, joined] = ["stored", "joined"].map(Room::new);
        let members = |room: &Room| {
            let audience = hub.audience(room, None);
            (audience.plain.len(), audience.streamed.len())
        };
        let first = connect();
        hub.add(&first).unwrap();
        hub.join(&first, joined.clone()).unwrap();
        assert_eq!((members(&stored), members(&joined)), ((0, 0), (1, 0)));
        hub.set_stored(&ada, Some(vec![stored.clone()]));
        assert_eq!((members(&stored), members(&joined)), ((0, 1), (0, 1)));
        hub.remove(&first);
        assert_eq!((members(&stored), members(&joined), hub.rooms()), ((0, 1), (0, 0), 0));
        hub.expel(&ada, &stored);
        assert_eq!(members(&stored), (0, 0));
        hub.set_stored(&ada, Some(vec![stored.clone(), joined.clone()]));
        hub.keep_stored(|user| user == "ada");
        assert_eq!((members(&stored), members(&joined)), ((0, 1), (0, 1)));
        hub.keep_stored(|_| false);
        assert_eq!((members(&stored), members(&joined), hub.is_streamed("ada")), ((0, 0), (0, 0), false));
    }
}
