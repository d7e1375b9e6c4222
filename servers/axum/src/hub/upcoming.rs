//! Memberships as they will be, once the moves of a transaction are carried out.

use std::sync::Arc;

use super::{Audience, Hub};
use crate::{connection::Connection, memberships::Moves, refusal::Refusal, room::Room};

impl Hub {
    /// Whether a user may join a room, by the number of those that they are in.
    pub(crate) fn check_room_after(&self, moves: &Moves, user: &str, room: &Room) -> Result<(), Refusal> {
        self.state.read().memberships.check_room(moves, user, room)
    }

    /// Whether a user is in a room, and connected.
    pub(crate) fn is_member_after(&self, moves: &Moves, user: &str, room: &Room) -> bool {
        self.state.read().memberships.is_present(moves, user, room)
    }

    /// Whether another connection of this one's user to this process has joined a room.
    pub(crate) fn others_have_joined_after(&self, moves: &Moves, from: &Connection, room: &Room) -> bool {
        self.state.read().memberships.others_have_joined(moves, &from.user, from.id, room)
    }

    /// Users whom events of a room are for, by name.
    pub(crate) fn members_after(&self, moves: &Moves, room: &Room) -> Vec<Arc<str>> {
        let state = self.state.read();
        let mut members: Vec<Arc<str>> = state.memberships.members_after(moves, room).iter().cloned().collect();
        members.sort_unstable();
        members
    }

    /// Who gets an event of a room, except for the connection that it comes from.
    pub(crate) fn audience_after(&self, moves: &Moves, room: &Room, except: Option<u64>) -> Audience {
        let state = self.state.read();
        self.audience_of(&state, &state.memberships.members_after(moves, room), room, except)
    }
}
