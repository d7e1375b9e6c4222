//! What a transaction does to memberships. The hub has it once the transaction is on the disk.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::Move;
use crate::room::Room;

/// The moves of one transaction, in order.
#[derive(Default)]
pub(crate) struct Moves {
    all: Vec<(Arc<str>, Room, Move)>,
    by_room: HashMap<Room, HashMap<Arc<str>, Vec<Move>>>,
}

impl Moves {
    pub fn push(&mut self, user: &Arc<str>, room: &Room, by: Move) {
        self.all.push((user.clone(), room.clone(), by));
        self.by_room.entry(room.clone()).or_default().entry(user.clone()).or_default().push(by);
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Takes back all moves but the first ones, and says whose they were.
    pub fn undo(&mut self, kept: usize) -> HashSet<Arc<str>> {
        let undone = self.all.split_off(kept);
        for (user, room, _) in &undone {
            let Some(users) = self.by_room.get_mut(room) else { continue };
            let Some(moves) = users.get_mut(user) else { continue };
            moves.pop();
            if moves.is_empty() {
                users.remove(user);
            }
        }
        undone.into_iter().map(|(user, ..)| user).collect()
    }

    /// Takes all of them, to be carried out.
    pub fn take(&mut self) -> Vec<(Arc<str>, Room, Move)> {
        self.by_room.clear();
        std::mem::take(&mut self.all)
    }

    /// Those of a user in a room.
    pub fn of(&self, user: &str, room: &Room) -> impl Iterator<Item = Move> {
        self.by_room.get(room).and_then(|users| users.get(user)).into_iter().flatten().copied()
    }

    /// The rooms that a user moves in or out of.
    pub fn rooms_of(&self, user: &str) -> impl Iterator<Item = &Room> {
        self.all.iter().filter(move |(by, ..)| **by == *user).map(|(_, room, _)| room)
    }

    /// The users who move in or out of a room.
    pub fn users_in(&self, room: &Room) -> impl Iterator<Item = &Arc<str>> {
        self.by_room.get(room).into_iter().flat_map(HashMap::keys)
    }
}
