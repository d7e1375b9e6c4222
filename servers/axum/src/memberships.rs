//! Who is in which room.

mod moves;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub(crate) use moves::Moves;

use crate::{refusal::Refusal, room::Room};

/// The rooms of users, and the users of rooms.
///
/// Membership belongs to a user, not to a connection: it ends when the last connection that has joined leaves, and with the user's last
/// connection, unless the database has it.
#[derive(Default)]
pub(crate) struct Memberships {
    /// The rooms that connected users are in.
    joined: HashMap<Arc<str>, HashMap<Room, Membership>>,
    /// The users whose events are stored, and the rooms that they get events of, also while they are away. The database has the same.
    streamed: HashMap<Arc<str>, HashSet<Room>>,
    rooms: HashMap<Room, Members>,
    /// Rooms whose members, or the presence of one, have changed since someone asked.
    changed: HashSet<Room>,
}

/// What keeps a user in a room.
#[derive(Clone, Default)]
struct Membership {
    /// The ids of the connections that have joined and not left.
    joined: Vec<u64>,
    /// Whether one has left since, so that those that have joined keep the user in, and nothing else does.
    left: bool,
}

/// What happens to the membership of a user in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A connection has joined; `None` for one that is no longer there, while its user is.
    Joined(Option<u64>),
    /// A connection has left. Its user has as well, unless another one of theirs has joined.
    Left(u64),
    /// The user is out, on all of their connections.
    Expelled,
}

impl Membership {
    /// What a move makes of a membership, or of there being none.
    fn moved(membership: Option<Self>, by: Move) -> Option<Self> {
        match by {
            Move::Joined(joiner) => {
                let mut membership = membership.unwrap_or_default();
                membership.left = false;
                membership.joined.extend(joiner.filter(|id| !membership.joined.contains(id)));
                Some(membership)
            }
            Move::Left(leaver) => {
                let mut membership = membership?;
                membership.joined.retain(|id| *id != leaver);
                membership.left = true;
                (!membership.joined.is_empty()).then_some(membership)
            }
            Move::Expelled => None,
        }
    }
}

/// Those who get the events of a room.
#[derive(Clone, Default)]
pub(crate) struct Members {
    pub present: HashSet<Arc<str>>,
    /// Those for whom events are stored: they are present and have a stream, or the room is stored.
    pub streamed: HashSet<Arc<str>>,
}

impl Memberships {
    /// Carries out a move of a user, who is connected if they have joined.
    pub fn apply(&mut self, user: &Arc<str>, room: &Room, by: Move) {
        let before = self.joined.get_mut(user).and_then(|rooms| rooms.remove(room));
        if let Some(after) = Membership::moved(before, by) {
            self.joined.entry(user.clone()).or_default().insert(room.clone(), after);
        }
        if by == Move::Expelled
            && let Some(stored) = self.streamed.get_mut(user)
        {
            stored.remove(room);
        }
        self.place(user, room);
    }

    /// Whether a user may join a room: they are in it, or not in too many others, with moves that are still to be carried out.
    pub fn check_room(&self, moves: &Moves, user: &str, room: &Room) -> Result<(), Refusal> {
        let mut rooms: HashSet<&Room> = self.rooms_of(user).collect();
        for moved in moves.rooms_of(user) {
            if self.is_present(moves, user, moved) {
                rooms.insert(moved);
            } else {
                rooms.remove(moved);
            }
        }
        if rooms.len() >= MAX_ROOMS_PER_USER && !rooms.contains(room) {
            let message = format!("a user can be in {MAX_ROOMS_PER_USER} sessions at most");
            return Err(Refusal::new("too_many_sessions", message));
        }
        Ok(())
    }

    /// A connection keeps its user in no room any more.
    pub fn forget_joins(&mut self, user: &Arc<str>, connection: u64) {
        let Some(rooms) = self.joined.get_mut(user) else { return };
        let mut left = Vec::new();
        rooms.retain(|room, membership| {
            membership.joined.retain(|id| *id != connection);
            let stays = !membership.left || !membership.joined.is_empty();
            if !stays {
                left.push(room.clone());
            }
            stays
        });
        for room in &left {
            self.place(user, room);
        }
    }

    /// A user's last connection has ended, and with it these memberships.
    pub fn end(&mut self, user: &Arc<str>) -> Vec<Room> {
        let left: Vec<Room> = self.joined.remove(user).unwrap_or_default().into_keys().collect();
        self.presence_changed(user);
        for room in &left {
            self.place(user, room);
        }
        left
    }

    /// A user has come or gone: news for the rooms that they are a member of also while they are away.
    pub fn presence_changed(&mut self, user: &str) {
        let stored = self.streamed.get(user);
        self.changed.extend(stored.into_iter().flatten().cloned());
    }

    /// What the database has about a user: the rooms whose events are stored for them, or that none are.
    pub fn set_stored(&mut self, user: &Arc<str>, stored: Option<Vec<Room>>) {
        let before = match stored {
            Some(stored) => self.streamed.insert(user.clone(), stored.into_iter().collect()),
            None => self.streamed.remove(user),
        };
        let after = self.streamed.get(user).into_iter().flatten();
        let present = self.joined.get(user).into_iter().flat_map(HashMap::keys);
        let concerned: HashSet<Room> = after.chain(present).cloned().chain(before.into_iter().flatten()).collect();
        for room in &concerned {
            self.place(user, room);
        }
    }

    /// Whether another connection of a user to this process has joined a room.
    pub fn others_have_joined(&self, moves: &Moves, user: &str, than: u64, room: &Room) -> bool {
        let membership = self.membership(moves, user, room);
        membership.is_some_and(|membership| membership.joined.iter().any(|id| *id != than))
    }

    /// Whether a user is in a room, and connected.
    pub fn is_present(&self, moves: &Moves, user: &str, room: &Room) -> bool {
        self.membership(moves, user, room).is_some()
    }

    /// Whether events of a room are for a user, connected or not.
    pub fn is_in(&self, user: &str, room: &Room) -> bool {
        let members = self.members(room);
        members.is_some_and(|members| members.present.contains(user) || members.streamed.contains(user))
    }

    /// Whether a user gets the events of a room also while they are away.
    pub fn is_stored(&self, user: &str, room: &Room) -> bool {
        self.streamed.get(user).is_some_and(|stored| stored.contains(room))
    }

    /// Whether a user's events are stored.
    pub fn is_streamed(&self, user: &str) -> bool {
        self.streamed.contains_key(user)
    }

    /// The users whose events are stored.
    pub fn streamed(&self) -> impl Iterator<Item = &Arc<str>> {
        self.streamed.keys()
    }

    /// The rooms that a connected user is in.
    pub fn rooms_of(&self, user: &str) -> impl Iterator<Item = &Room> {
        self.joined.get(user).into_iter().flat_map(HashMap::keys)
    }

    /// Those who get the events of a room, if anyone does.
    pub fn members(&self, room: &Room) -> Option<&Members> {
        self.rooms.get(room)
    }

    /// The same with moves that are still to be carried out.
    pub fn members_after(&self, moves: &Moves, room: &Room) -> Cow<'_, Members> {
        let mut members = self.members(room).map(Cow::Borrowed).unwrap_or_default();
        for user in moves.users_in(room) {
            let members = members.to_mut();
            let present = self.is_present(moves, user, room);
            members.set(user, present, self.is_streamed(user) && (present || self.is_stored(user, room)));
        }
        members
    }

    /// The users who are in a room, and connected.
    pub fn present(&self, room: &Room) -> impl Iterator<Item = &Arc<str>> {
        self.members(room).into_iter().flat_map(|members| &members.present)
    }

    /// How many rooms have a member who is there.
    pub fn count(&self) -> usize {
        self.rooms.values().filter(|members| !members.present.is_empty()).count()
    }

    /// A room in which more is to be told than its members.
    pub fn set_changed(&mut self, room: Room) {
        self.changed.insert(room);
    }

    pub fn have_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The rooms that have changed since the last time.
    pub fn take_changed(&mut self) -> HashSet<Room> {
        std::mem::take(&mut self.changed)
    }

    fn membership(&self, moves: &Moves, user: &str, room: &Room) -> Option<Cow<'_, Membership>> {
        let now = self.joined.get(user).and_then(|rooms| rooms.get(room)).map(Cow::Borrowed);
        moves
            .of(user, room)
            .fold(now, |membership, by| Membership::moved(membership.map(Cow::into_owned), by).map(Cow::Owned))
    }

    /// Puts a user where they belong among the members of a room, after their own entries have changed.
    fn place(&mut self, user: &Arc<str>, room: &Room) {
        let present = self.joined.get(user).is_some_and(|rooms| rooms.contains_key(room));
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
        members.set(user, present, streamed);
    }
}

impl Members {
    fn set(&mut self, user: &Arc<str>, present: bool, streamed: bool) {
        for (list, belongs) in [(&mut self.present, present), (&mut self.streamed, streamed)] {
            if belongs {
                list.insert(user.clone());
            } else {
                list.remove(user);
            }
        }
    }

    /// Each once.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.present.union(&self.streamed)
    }
}

/// Bounds what one user can make the server remember.
pub const MAX_ROOMS_PER_USER: usize = 100;
