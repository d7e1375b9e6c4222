//! What the server does with the events of a conversation, in both dialects: docs/PROTOCOL.md, "The two catalogues".

use everwire::session::ChatKind;
use serde_json::{Value, json};

use crate::client_frame::room_name;
use crate::conversations::{CONVERSATION, Fetch, user_name};
use crate::downward_frame::{Down, Kind, Stream};
use crate::run_tally::Count;
use crate::simulation::{DAY_ONE_MS, Simulation};

/// A message as the server has it, apart from what it may forget.
#[derive(Debug)]
pub struct Written {
    /// The sender's own.
    pub id: String,
    sender: u32,
    content: String,
    /// In milliseconds since the start: later than that of the message before.
    at: u64,
    pub is_read: bool,
}

impl Simulation {
    /// Takes an event of the conversation.
    pub fn relay(&mut self, connection: usize, uid: u32) {
        let user = self.user(connection);
        let Ok(envelope) = serde_json::from_str::<Value>(&self.messages[uid as usize].frame) else { return };
        let data = &envelope["data"];
        let (id, content) = match envelope["type"].as_str() {
            Some("message_sent") => (&data["message"]["id"], &data["message"]["content"]),
            Some("send_message") => (&data["client_id"], &data["content"]),
            Some("user_typing") => return self.relay_typing(connection, data["isTyping"] == true),
            Some("typing") => return self.relay_typing(connection, data["is_typing"] == true),
            Some("read_message") => return self.relay_read(user, &data["message_id"]),
            _ => return,
        };
        let (Some(id), Some(content)) = (id.as_str(), content.as_str()) else { return };
        if let Some(known) = self.history.iter().position(|known| known.id == id) {
            let kind = self.announcement(known);
            return self.send_frame(connection, Down::plain(kind));
        }
        let at = self.now.max(self.history.last().map_or(0, |last| last.at + 1));
        let (id, content) = (id.to_owned(), content.to_owned());
        self.history.push(Written { id, sender: user, content, at, is_read: false });
        self.tally.add(Count::ChatMessages);
        let kind = self.announcement(self.history.len() - 1);
        self.push(Stream::Room(CONVERSATION), kind);
    }

    fn relay_typing(&mut self, connection: usize, is_typing: bool) {
        let (name, user) = (user_name(self.user(connection)), self.user(connection));
        let room = room_name(CONVERSATION);
        let kind = match self.setup.chat.map(|setup| setup.kind) {
            Some(ChatKind::Session) => {
                let data = json!({"session_id": room, "user_id": name, "isTyping": is_typing});
                Kind::Chat("typing_indicator", data)
            }
            _ => {
                let event = if is_typing { "user_typing" } else { "typing_stopped" };
                Kind::Chat(event, json!({"match_id": room, "user_id": name}))
            }
        };
        self.tally.add(Count::Typing);
        for other in 0..self.connections.len() {
            let is_member = self.members.contains(&(self.user(other), CONVERSATION));
            if self.connections[other].server.is_some() && is_member && self.user(other) != user {
                self.send_frame(other, Down::plain(kind.clone()));
            }
        }
    }

    fn relay_read(&mut self, user: u32, id: &Value) {
        let upto = id.as_str().and_then(|id| id.parse::<usize>().ok()).map_or(0, |upto| upto + 1);
        for written in self.history.iter_mut().take(upto).filter(|written| written.sender != user) {
            written.is_read = true;
        }
        let data = json!({"message_id": id, "match_id": room_name(CONVERSATION), "up_to": true});
        self.push(Stream::Room(CONVERSATION), Kind::Chat("message_read", data));
    }

    /// Names the members to who has just joined, if this server does so.
    pub fn name_members(&mut self, connection: usize) {
        if !self.setup.chat.is_some_and(|setup| setup.names_members) {
            return;
        }
        let in_room = self.members.iter().filter(|(_, room)| *room == CONVERSATION);
        let members: Vec<_> = in_room.map(|(user, _)| json!({"user_id": user_name(*user), "online": true})).collect();
        let data =
            json!({"session_id": room_name(CONVERSATION), "match_id": room_name(CONVERSATION), "members": members});
        self.send_frame(connection, Down::plain(Kind::Chat("session_members", data)));
    }

    fn announcement(&self, number: usize) -> Kind {
        let payload = self.payload(number);
        match self.setup.chat.map(|setup| setup.kind) {
            Some(ChatKind::Session) => Kind::Chat("message_received", json!({ "message": payload })),
            _ => Kind::Chat("new_message", payload),
        }
    }

    fn payload(&self, number: usize) -> Value {
        let Written { id, sender, content, at, is_read } = &self.history[number];
        let (room, user, time) = (room_name(CONVERSATION), user_name(*sender), iso_time(*at));
        match self.setup.chat.map(|setup| setup.kind) {
            Some(ChatKind::Session) => {
                json!({"id": id, "session_id": room, "user_id": user, "content": content, "role": "user", "timestamp": time})
            }
            _ => {
                let read_at = is_read.then_some(&time);
                json!({
                    "id": number.to_string(), "clientId": id, "matchId": room, "senderId": user, "content": content,
                    "createdAt": time, "readAt": read_at,
                })
            }
        }
    }

    /// A page of the history as it is now: oldest first, and whether there are more.
    pub fn look_up(&self, fetch: &Fetch) -> (Vec<Value>, bool) {
        let place = |id: &String| match self.setup.chat.map(|setup| setup.kind) {
            Some(ChatKind::Session) => self.history.iter().position(|written| written.id == *id),
            _ => id.parse().ok(),
        };
        let count = self.history.len();
        let (range, has_more) = match fetch {
            Fetch::Before(id) => {
                let end = id.as_ref().and_then(place).unwrap_or(count).min(count);
                let first = end.saturating_sub(PAGE);
                (first..end, first > 0)
            }
            Fetch::After(id) => {
                let first = id.as_ref().and_then(place).map_or(0, |place| place + 1).min(count);
                let end = count.min(first + PAGE);
                (first..end, end < count)
            }
        };
        (range.map(|number| self.payload(number)).collect(), has_more)
    }
}

fn iso_time(ms: u64) -> String {
    let ms = (DAY_ONE_MS + ms) % 86_400_000;
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("2023-11-14T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", ms % 1_000)
}

/// How many messages a page of the history has.
const PAGE: usize = 5;
