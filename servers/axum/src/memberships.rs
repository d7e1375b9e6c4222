//! Who is in which room.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

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
#[derive(Default)]
struct Membership {
    /// The ids of the connections that have joined and not left.
    joined: Vec<u64>,
    /// Whether one has left since, so that those that have joined keep the user in, and nothing else does.
    left: bool,
}

/// Those who get the events of a room.
#[derive(Default)]
pub(crate) struct Members {
    pub present: HashSet<Arc<str>>,
    /// Those for whom events are stored: they are present and have a stream, or the room is stored.
    pub streamed: HashSet<Arc<str>>,
}

/// How it stood with a room before a connection joined or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    is_member: bool,
    has_joined: bool,
    left: bool,
}

impl Memberships {
    /// Makes a connected user a member, for one of their connections if that is still there. Joining twice is the same as joining once.
    pub fn join(&mut self, user: &Arc<str>, joiner: Option<u64>, room: Room) -> Result<(), Refusal> {
        let rooms = self.joined.entry(user.clone()).or_default();
        if let Some(membership) = rooms.get_mut(&room) {
            membership.left = false;
            membership.joined.extend(joiner.filter(|id| !membership.joined.contains(id)));
            return Ok(());
        }
        if rooms.len() >= MAX_ROOMS_PER_USER {
            let message = format!("a user can be in {MAX_ROOMS_PER_USER} sessions at most");
            return Err(Refusal::new("too_many_sessions", message));
        }
        rooms.insert(room.clone(), Membership { joined: joiner.into_iter().collect(), left: false });
        self.place(user, &room);
        Ok(())
    }

    /// A connection is no longer in a room. Its user is as long as another one of theirs has joined it.
    pub fn leave(&mut self, user: &Arc<str>, leaver: u64, room: &Room) {
        let Some(rooms) = self.joined.get_mut(user) else { return };
        let Some(membership) = rooms.get_mut(room) else { return };
        membership.joined.retain(|id| *id != leaver);
        membership.left = true;
        if membership.joined.is_empty() {
            rooms.remove(room);
            self.place(user, room);
        }
    }

    /// How it stands with a connection and a room.
    pub fn standing(&self, user: &str, connection: u64, room: &Room) -> Standing {
        let membership = self.membership(user, room);
        Standing {
            is_member: membership.is_some(),
            has_joined: membership.is_some_and(|membership| membership.joined.contains(&connection)),
            left: membership.is_some_and(|membership| membership.left),
        }
    }

    /// A connection of a connected user has neither joined nor left a room since then.
    pub fn restore(&mut self, user: &Arc<str>, connection: u64, room: &Room, before: Standing) {
        let rooms = self.joined.entry(user.clone()).or_default();
        let mut membership = rooms.remove(room).unwrap_or_default();
        membership.joined.retain(|id| *id != connection);
        if before.has_joined {
            membership.joined.push(connection);
        }
        membership.left = before.left;
        if before.is_member || !membership.joined.is_empty() {
            rooms.insert(room.clone(), membership);
        }
        self.place(user, room);
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

    /// Ends a membership, if there is one, for all connections.
    pub fn expel(&mut self, user: &Arc<str>, room: &Room) {
        if let Some(rooms) = self.joined.get_mut(user) {
            rooms.remove(room);
        }
        if let Some(stored) = self.streamed.get_mut(user) {
            stored.remove(room);
        }
        self.place(user, room);
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
    pub fn others_have_joined(&self, user: &str, than: u64, room: &Room) -> bool {
        let membership = self.membership(user, room);
        membership.is_some_and(|membership| membership.joined.iter().any(|id| *id != than))
    }

    /// Whether a user is in a room, and connected.
    pub fn is_present(&self, user: &str, room: &Room) -> bool {
        self.membership(user, room).is_some()
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

    fn membership(&self, user: &str, room: &Room) -> Option<&Membership> {
        self.joined.get(user).and_then(|rooms| rooms.get(room))
    }

    /// Puts a user where they belong among the members of a room, after their own entries have changed.
    fn place(&mut self, user: &Arc<str>, room: &Room) {
        let present = self.is_present(user, room);
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

impl Members {
    /// Each once.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.present.union(&self.streamed)
    }
}

/// Bounds what one user can make the server remember.
pub const MAX_ROOMS_PER_USER: usize = 100;
