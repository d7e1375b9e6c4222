//! A server with one match, which knows nothing of the chat state machine.

use everwire::session::ChatOutput;
use serde_json::{Value as Json, json};

use super::network::{Down, Up};
use super::page::Answer;
use super::{EPOCH_MS, MATCH, Simulation};

/// A message as the server has it.
pub struct Stored {
    pub sender: &'static str,
    pub client_id: String,
    pub content: String,
    pub at: i64,
    pub is_read: bool,
}

impl Simulation {
    pub fn serve(&mut self, page: usize, up: Up) {
        let user = self.pages[page].user;
        match up {
            Up::Typing => {}
            Up::Ping => {
                self.tell(page, Down::Event("pong", json!({})));
            }
            Up::Join => {
                self.pages[page].is_joined = true;
                if !self.tells_members {
                    return;
                }
                let members =
                    [json!({ "user_id": "ada", "online": true }), json!({ "user_id": "ben", "online": true })];
                let data = json!({ "session_id": MATCH, "match_id": MATCH, "members": members });
                self.tell(page, Down::Event("session_members", data));
            }
            Up::Message { client_id, content } => {
                let known = self.stored.iter().position(|stored| stored.client_id == client_id);
                if let Some(known) = known {
                    let copy = payload(known, &self.stored[known]);
                    self.tell(page, Down::Event("new_message", copy));
                } else {
                    let (sender, at) = (user, self.now);
                    self.stored.push(Stored { sender, client_id: client_id.clone(), content, at, is_read: false });
                    let id = self.stored.len() - 1;
                    self.announce("new_message", &payload(id, &self.stored[id]));
                }
                if self.is_reliable {
                    self.tell(page, Down::Acknowledged(client_id));
                }
            }
            Up::Read { id } => {
                for stored in self.stored[..=id].iter_mut().filter(|stored| stored.sender != user) {
                    stored.is_read = true;
                }
                let data = json!({ "message_id": id.to_string(), "match_id": MATCH, "up_to": true });
                self.announce("message_read", &data);
            }
        }
    }

    pub fn announce(&mut self, event: &'static str, data: &Json) {
        for page in 0..self.pages.len() {
            if self.pages[page].is_joined {
                self.tell(page, Down::Event(event, data.clone()));
            }
        }
    }

    pub fn look_up(&self, output: ChatOutput) -> Answer {
        let newest = self.stored.len();
        let (token, range, has_more) = match output {
            ChatOutput::LoadEarlier { token, before } => {
                let end = before.map_or(newest, |before| before.parse().expect("an id"));
                let first = end.saturating_sub(PAGE);
                (token, first..end, first > 0)
            }
            ChatOutput::LoadMissed { token, after } => {
                let first = after.map_or(0, |after| after.parse::<usize>().expect("an id") + 1);
                let end = newest.min(first + PAGE);
                (token, first..end, end < newest)
            }
            ChatOutput::Send { .. } => unreachable!("a fetch"),
        };
        let messages = range.map(|id| payload(id, &self.stored[id])).collect();
        Answer { token, messages, has_more }
    }
}

fn payload(id: usize, stored: &Stored) -> Json {
    let at = stored.at - EPOCH_MS;
    let time = |at: i64| format!("2026-01-01T00:{:02}:{:02}.{:03}Z", at / 60_000, at / 1_000 % 60, at % 1_000);
    json!({
        "id": id.to_string(),
        "matchId": MATCH,
        "senderId": stored.sender,
        "content": stored.content,
        "createdAt": time(at),
        "readAt": stored.is_read.then(|| time(at)),
        "clientId": stored.client_id,
    })
}

const PAGE: usize = 5;
