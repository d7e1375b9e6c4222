//! Who is in a room, and who may send to it: docs/PROTOCOL.md, "Membership".

use everwire::proto::Delivery;

use crate::conversations::CONVERSATION;
use crate::downward_frame::{Down, Kind, Stream};
use crate::run_tally::Count;
use crate::sent_message::{MessageModel, What};
use crate::simulation::Simulation;
use crate::verdict::Rule;

impl Simulation {
    pub fn enter(&mut self, connection: usize, room: u32) {
        let member = (self.user(connection), room);
        let Some(end) = &mut self.connections[connection].server else { return };
        if !self.members.contains(&member) {
            self.members.push(member);
        }
        end.rooms.insert(room);
        if end.sender.is_some() {
            self.memory.joined.insert(member);
        }
        let stream = Stream::Room(room);
        let carries = self.server_is_plain || end.sender.is_none() || end.position(stream).is_some();
        if !carries {
            let position = self.log(stream).resume(None);
            self.carry(connection, position);
            self.send_frame(connection, Down::plain(Kind::Begin(position)));
        }
        if room == CONVERSATION {
            self.name_members(connection);
        }
    }

    /// The user stays as long as a connection of another page of theirs has joined.
    pub fn leave(&mut self, connection: usize, room: u32) {
        let user = self.user(connection);
        let page = self.connections[connection].page;
        if let Some(end) = &mut self.connections[connection].server {
            end.rooms.remove(&room);
        }
        let stays = (0..self.connections.len()).any(|other| {
            self.user(other) == user
                && self.connections[other].page != page
                && self.connections[other].server.as_ref().is_some_and(|end| end.rooms.contains(&room))
        });
        if stays {
            return;
        }
        self.members.retain(|member| *member != (user, room));
        self.memory.joined.remove(&(user, room));
    }

    /// A message to a room that its user has not joined since they were away.
    pub fn receive_from_absent(&mut self, connection: usize, uid: u32, seq: Option<u64>, room: u32) {
        let user = self.user(connection);
        let page = self.messages[uid as usize].sender;
        if seq.is_some() && self.connections[connection].page == page && self.is_sure_of(page, room) {
            let detail = format!("message {uid} for room {room}, which user {user} has not joined");
            self.break_rule(Rule::NotRejoined, detail);
        }
        if seq.is_some() && self.memory.joined.contains(&(user, room)) {
            self.tally.add(Count::ToPastRooms);
            self.effects(connection, uid, seq, Some(room));
        } else {
            self.refuse_message(connection, uid, seq);
        }
    }

    /// The user is in the rooms that the application has joined, and not in those that it has left.
    pub fn compare_rooms(&mut self, device: usize) {
        let this = &self.pages[self.devices[device].page];
        let is_whole = self.live_connection(device).is_some_and(|connection| self.connections[connection].is_whole());
        if this.client().snapshot().delivery == Delivery::AtMostOnce || !is_whole {
            return;
        }
        let user = self.setup.devices[device].user;
        let page = self.devices[device].page;
        let is_in = |room: &u32| self.members.contains(&(user, *room));
        let is_sure = |room: &&u32| self.is_sure_of(page, **room);
        let missing = this.rooms.iter().filter(is_sure).find(|room| !is_in(room));
        let left = this.left_rooms.iter().filter(is_sure).find(|room| is_in(room));
        if missing.is_some() || left.is_some() {
            let detail = format!("device {device}, user {user}: not in {missing:?}, still in {left:?}");
            self.break_rule(Rule::NotRejoined, detail);
        }
    }

    /// Whether a page can be sure who is in a room: what a previous client instance did may arrive late.
    pub fn is_sure_of(&self, page: usize, room: u32) -> bool {
        let concerns = |what| what == What::Join(room) || what == What::Leave(room);
        let user = |page: usize| self.setup.devices[self.pages[page].device].user;
        let is_another =
            |entry: &MessageModel| entry.sender != page && concerns(entry.what) && user(entry.sender) == user(page);
        !self.pages[page].doubtful_rooms.contains(&room) && !self.messages.iter().any(is_another)
    }
}
