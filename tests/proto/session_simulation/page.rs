//! A device: what its user does, and what must hold on it at any time.

use std::collections::{BTreeMap, VecDeque};

use everwire::session::{Chat, ChatOutput, ChatStatus};
use serde_json::{Value as Json, json};

use super::Simulation;
use super::network::{Down, Up};

pub struct Page {
    pub user: &'static str,
    pub chat: Chat,
    /// How far the page's clock is before the server's.
    pub ahead_ms: i64,
    pub is_open: bool,
    /// Whether the server sends it the events of the match.
    pub is_joined: bool,
    pub opens_at: i64,
    /// What waits for a connection.
    pub queue: VecDeque<Up>,
    pub up: VecDeque<(i64, Up)>,
    pub down: VecDeque<(i64, Down)>,
    pub fetches: Vec<(i64, Answer)>,
    /// How far each own message has come, to see that it only moves forward.
    pub seen: BTreeMap<String, ChatStatus>,
    pub written: usize,
}

/// What the history had when it was asked, which may be before the server had seen the join.
pub struct Answer {
    pub token: u64,
    pub messages: Vec<Json>,
    pub has_more: bool,
}

impl Simulation {
    pub fn act(&mut self, page: usize) {
        let now = self.local(page);
        let this = &mut self.pages[page];
        match self.rng.u32(..200) {
            0..6 => {
                this.written += 1;
                let id = format!("{}-{page}-{}", this.user, this.written);
                this.chat.write(now, &id, &format!("text {}", this.written), json!({}));
            }
            6..9 => this.chat.mark_as_read(None),
            9..12 => this.chat.key_pressed(now),
            12 => drop(this.chat.load_earlier()),
            13 => return self.retry(page),
            _ => return,
        }
        self.perform(page);
    }

    pub fn retry(&mut self, page: usize) {
        let now = self.local(page);
        let this = &mut self.pages[page];
        let failed = this.chat.messages().find(|message| message.status == Some(ChatStatus::Failed));
        if let Some(id) = failed.map(|message| message.id.clone()) {
            this.seen.remove(&id);
            this.chat.retry(now, &id);
            self.perform(page);
        }
    }

    /// What the machine has asked for, after every input.
    pub fn perform(&mut self, page: usize) {
        self.check(page);
        while let Some(output) = self.pages[page].chat.poll_output() {
            let ChatOutput::Send { event, data, id } = output else {
                let at = self.now + self.rng.i64(50..800);
                let answer = self.look_up(output);
                self.pages[page].fetches.push((at, answer));
                continue;
            };
            let up = match (event, id) {
                ("ping", _) => Up::Ping,
                ("typing", _) => Up::Typing,
                ("read_message", _) => {
                    let id = data["message_id"].as_str().and_then(|id| id.parse().ok());
                    Up::Read { id: id.expect("the id of a message that the server knows") }
                }
                ("send_message", Some(client_id)) => {
                    Up::Message { client_id, content: data["content"].as_str().expect("a text").to_owned() }
                }
                // The client joins by itself.
                _ => continue,
            };
            if self.pages[page].is_open {
                self.send(page, up);
            } else if up.is_numbered() {
                self.pages[page].queue.push_back(up);
            }
        }
    }

    pub fn hear(&mut self, page: usize, down: Down) {
        let now = self.local(page);
        let chat = &mut self.pages[page].chat;
        match down {
            Down::Event(event, data) => chat.handle_event(now, event, &data),
            Down::Acknowledged(id) => chat.handle_acknowledgement(&id),
            Down::Gap => chat.handle_gap(now),
        }
        self.perform(page);
    }

    pub fn answer(&mut self, page: usize, Answer { token, messages, has_more }: &Answer) {
        let now = self.local(page);
        let is_failure = self.has_faults() && self.rng.u32(..4) == 0;
        let chat = &mut self.pages[page].chat;
        if is_failure {
            self.failures += 1;
            chat.handle_fetch_failure(now, *token, "HTTP 503");
        } else {
            chat.handle_page(now, *token, messages, *has_more);
        }
        self.perform(page);
    }

    /// What holds at any time.
    pub fn check(&mut self, page: usize) {
        let Page { chat, seen, user, .. } = &mut self.pages[page];
        let mut ids: Vec<_> = chat.messages().map(|message| message.id.as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "a message is shown twice to {user}");
        for message in chat.messages().filter(|message| message.is_own) {
            let status = message.status.expect("own messages have a status");
            let before = seen.insert(message.id.clone(), status).unwrap_or(ChatStatus::Failed);
            let is_forward = status >= before || status == ChatStatus::Failed && before <= ChatStatus::Sent;
            assert!(is_forward, "{} went from {before:?} to {status:?}", message.id);
        }
    }

    pub fn local(&self, page: usize) -> i64 {
        self.now + self.pages[page].ahead_ms
    }
}
