//! Who is connected, and who gets what.

mod audience;
mod upcoming;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;

pub use audience::Audience;

use crate::{
    bus::{Bus, Durability, To},
    capacity::{Capacity, Full},
    connection::Connection,
    memberships::{Members, Memberships, Move, Moves},
    outgoing::Outgoing,
    refusal::Refusal,
    room::Room,
};

/// Users, their connections, and the rooms they are members of.
pub struct Hub {
    state: RwLock<State>,
    last_id: AtomicU64,
    capacity: Capacity,
    /// The way to other nodes, if there are any.
    bus: OnceLock<Arc<Bus>>,
}

#[derive(Default)]
struct State {
    /// The connections of each user who has any.
    users: HashMap<Arc<str>, Vec<Arc<Connection>>>,
    connections: usize,
    memberships: Memberships,
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
        self.state.write().memberships.presence_changed(user);
    }

    /// Delivers an event that another node has sent.
    pub(crate) fn deliver_from_node(&self, to: &To, durability: Durability, kind: &str, frame: String) {
        let outgoing = Outgoing::text(kind, frame);
        match (to, durability) {
            (To::User(user), _) => self.deliver_to_user(user, &outgoing),
            (To::Room(room), Durability::Stored) => deliver(&self.audience(&Room::new(room), None).plain, &outgoing),
            (To::Room(room), Durability::Transient) => self.deliver_to_room(&Room::new(room), None, &outgoing),
            (To::Everyone, Durability::Stored) => deliver(&self.everyone().plain, &outgoing),
            (To::Everyone, Durability::Transient) => self.deliver_to_all(&outgoing),
        };
    }

    /// An id that no other connection of this process has.
    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether another connection of this user would be taken.
    pub(crate) fn room_for(&self, user: &str) -> Result<(), Full> {
        let state = self.state.read();
        state.check(self.capacity, user)
    }

    /// Adds a connection and says whether it is the user's first.
    pub(crate) fn add(&self, connection: &Arc<Connection>) -> Result<bool, Full> {
        let mut state = self.state.write();
        state.check(self.capacity, &connection.user)?;
        state.connections += 1;
        let own = state.users.entry(connection.user.clone()).or_default();
        own.push(connection.clone());
        let is_first = own.len() == 1;
        if is_first {
            state.memberships.presence_changed(&connection.user);
        }
        Ok(is_first)
    }

    /// Removes a connection. With a user's last one their memberships end; these rooms are returned.
    pub(crate) fn remove(&self, connection: &Connection) -> Option<Vec<Room>> {
        let mut state = self.state.write();
        let State { users, connections, memberships } = &mut *state;
        let own = users.get_mut(&connection.user)?;
        let before = own.len();
        own.retain(|other| other.id != connection.id);
        *connections -= before - own.len();
        if !own.is_empty() {
            memberships.forget_joins(&connection.user, connection.id);
            return None;
        }
        users.remove(&connection.user);
        Some(memberships.end(&connection.user))
    }

    /// Makes the user of a connection a member. Joining twice is the same as joining once.
    pub fn join(&self, from: &Connection, room: Room) -> Result<(), Refusal> {
        let mut state = self.state.write();
        state.memberships.check_room(&Moves::default(), &from.user, &room)?;
        state.apply(&from.user, &room, Move::Joined(Some(from.id)));
        Ok(())
    }

    /// A connection is no longer in a room. Its user is as long as another one of theirs has joined it.
    pub fn leave(&self, from: &Connection, room: &Room) {
        self.state.write().apply(&from.user, room, Move::Left(from.id));
    }

    /// Carries out what a transaction has moved.
    pub(crate) fn apply(&self, moves: &mut Moves) {
        let moves = moves.take();
        if moves.is_empty() {
            return;
        }
        let mut state = self.state.write();
        for (user, room, by) in moves {
            state.apply(&user, &room, by);
        }
    }

    /// A connection that another one of the same client has replaced keeps its user in no room.
    pub(crate) fn forget_joins(&self, connection: &Connection) {
        self.state.write().memberships.forget_joins(&connection.user, connection.id);
    }

    /// Whether events of a room are for a user, connected or not.
    pub(crate) fn is_in(&self, user: &str, room: &Room) -> bool {
        self.state.read().memberships.is_in(user, room)
    }

    /// Ends a membership, if there is one, for all connections.
    pub fn expel(&self, user: &Arc<str>, room: &Room) {
        self.state.write().apply(user, room, Move::Expelled);
    }

    /// Whether a user is in a room, and connected.
    pub fn is_member(&self, user: &str, room: &Room) -> bool {
        self.is_member_after(&Moves::default(), user, room)
    }

    /// Whether a user is connected, to this node or another.
    pub fn is_online(&self, user: &str) -> bool {
        self.is_here(user) || self.is_elsewhere(user)
    }

    /// Whether a user is connected to this process.
    pub fn is_here(&self, user: &str) -> bool {
        self.state.read().users.contains_key(user)
    }

    /// Queues a frame for every connection of a user to this process, and says for how many.
    pub fn deliver_to_user(&self, user: &str, outgoing: &Outgoing) -> usize {
        let state = self.state.read();
        state.users.get(user).map_or(0, |connections| deliver(connections, outgoing))
    }

    /// The same, except for one connection.
    pub fn deliver_to_user_but(&self, user: &str, except: Option<u64>, outgoing: &Outgoing) -> usize {
        let state = self.state.read();
        let connections = state.users.get(user).into_iter().flatten();
        connections.filter(|connection| Some(connection.id) != except && connection.deliver(outgoing)).count()
    }

    /// Queues a frame for every connection of a room's members to this process, except for the one that it comes from.
    pub fn deliver_to_room(&self, room: &Room, except: Option<u64>, outgoing: &Outgoing) -> usize {
        let state = self.state.read();
        let connections = state.connections_in(room);
        connections.filter(|connection| Some(connection.id) != except && connection.deliver(outgoing)).count()
    }

    /// Delivers an event to the connections that a user has to this process, except for one, and has the bus carry it to other nodes, at most once. Says for
    /// how many it was queued here.
    pub fn tell_user(&self, user: &str, except: Option<u64>, kind: &str, outgoing: &Outgoing) -> usize {
        if let Some(bus) = self.bus().filter(|bus| bus.is_elsewhere(user)) {
            bus.tell(To::User(user.to_owned()), kind, outgoing, Durability::Transient);
        }
        self.deliver_to_user_but(user, except, outgoing)
    }

    /// The same for those of a room's members.
    pub fn tell_room(&self, room: &Room, except: Option<u64>, kind: &str, outgoing: &Outgoing) -> usize {
        if let Some(bus) = self.bus() {
            bus.tell(To::Room(room.as_str().to_owned()), kind, outgoing, Durability::Transient);
        }
        self.deliver_to_room(room, except, outgoing)
    }

    /// The same for everyone.
    pub fn tell_all(&self, kind: &str, outgoing: &Outgoing) -> usize {
        if let Some(bus) = self.bus() {
            bus.tell(To::Everyone, kind, outgoing, Durability::Transient);
        }
        self.deliver_to_all(outgoing)
    }

    /// Queues a frame for every connection to this process.
    pub fn deliver_to_all(&self, outgoing: &Outgoing) -> usize {
        let state = self.state.read();
        state.users.values().map(|connections| deliver(connections, outgoing)).sum()
    }

    /// A room in which more is to be told than its members.
    pub fn set_changed(&self, room: Room) {
        self.state.write().memberships.set_changed(room);
    }

    /// The rooms that have changed since the last time.
    pub fn take_changed(&self) -> HashSet<Room> {
        if !self.state.read().memberships.have_changed() {
            return HashSet::new();
        }
        self.state.write().memberships.take_changed()
    }

    /// The members of a room, by name, and whether they are connected.
    pub fn members(&self, room: &Room) -> BTreeMap<Arc<str>, bool> {
        let state = self.state.read();
        let members = state.memberships.members(room).into_iter().flat_map(Members::iter);
        let is_online = |user: &str| state.users.contains_key(user) || self.is_elsewhere(user);
        members.map(|user| (user.clone(), is_online(user))).collect()
    }

    /// The rooms that a connected user is in.
    pub fn rooms_of(&self, user: &str) -> Vec<Room> {
        self.state.read().memberships.rooms_of(user).cloned().collect()
    }

    /// Whether a user gets the events of a room also while they are away.
    pub(crate) fn is_stored(&self, user: &str, room: &Room) -> bool {
        self.state.read().memberships.is_stored(user, room)
    }

    /// What the database has about a user: the rooms whose events are stored for them, or that none are.
    pub(crate) fn set_stored(&self, user: &Arc<str>, stored: Option<Vec<Room>>) {
        self.state.write().memberships.set_stored(user, stored);
    }

    /// Nothing is stored any more for users who are not among these.
    pub(crate) fn keep_stored(&self, is_among: impl Fn(&str) -> bool) {
        let gone: Vec<Arc<str>> = {
            let state = self.state.read();
            state.memberships.streamed().filter(|user| !is_among(user)).cloned().collect()
        };
        for user in gone {
            self.set_stored(&user, None);
        }
    }

    /// Whether a user's events are stored.
    pub fn is_streamed(&self, user: &str) -> bool {
        self.state.read().memberships.is_streamed(user)
    }

    /// Whether those of anyone in a room are.
    pub fn has_streamed(&self, room: &Room) -> bool {
        self.state.read().memberships.members(room).is_some_and(|members| !members.streamed.is_empty())
    }

    /// The connections of a user, or of everyone.
    pub fn connections(&self, user: Option<&str>) -> Vec<Arc<Connection>> {
        let state = self.state.read();
        match user {
            Some(user) => state.users.get(user).cloned().unwrap_or_default(),
            None => state.users.values().flatten().cloned().collect(),
        }
    }

    /// The connections of those who are in a room.
    pub fn connections_in(&self, room: &Room) -> Vec<Arc<Connection>> {
        self.state.read().connections_in(room).cloned().collect()
    }

    /// How many connections there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.state.read().connections
    }

    /// How many rooms have a member who is there.
    pub fn rooms(&self) -> usize {
        self.state.read().memberships.count()
    }
}

fn deliver(connections: &[Arc<Connection>], outgoing: &Outgoing) -> usize {
    connections.iter().filter(|connection| connection.deliver(outgoing)).count()
}

impl State {
    fn apply(&mut self, user: &Arc<str>, room: &Room, by: Move) {
        let by = match by {
            Move::Joined(joiner) => {
                // Another of their devices may have joined, and this one has not been told who is there.
                self.memberships.set_changed(room.clone());
                let Some(own) = self.users.get(user) else { return };
                Move::Joined(joiner.filter(|joiner| own.iter().any(|connection| connection.id == *joiner)))
            }
            by => by,
        };
        self.memberships.apply(user, room, by);
    }

    fn check(&self, capacity: Capacity, user: &str) -> Result<(), Full> {
        capacity.check(self.connections, self.users.get(user).map(Vec::len))
    }

    /// The connections of those who are in a room.
    fn connections_in(&self, room: &Room) -> impl Iterator<Item = &Arc<Connection>> {
        let present = self.memberships.present(room);
        present.filter_map(|user| self.users.get(user)).flatten()
    }
}

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
        let connect = || Connection::new(hub.next_id(), &Ticket::of("ada"), QueueLimits { frames: 1, bytes: 1 }).0;
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
