//! What is on its way, and connections that fail.

use std::collections::VecDeque;

use everwire::session::ChatStatus;
use serde_json::{Value as Json, json};

use super::Simulation;

#[derive(Clone, Debug)]
pub enum Up {
    Join,
    Ping,
    Typing,
    Message { client_id: String, content: String },
    Read { id: usize },
}

#[derive(Clone, Debug)]
pub enum Down {
    Event(&'static str, Json),
    Acknowledged(String),
    Gap,
}

impl Up {
    /// Whether the reliable mode numbers it.
    pub const fn is_numbered(&self) -> bool {
        matches!(self, Self::Message { .. } | Self::Read { .. })
    }
}

impl Down {
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Event("new_message" | "message_read", _) | Self::Gap)
    }
}

impl Simulation {
    pub fn open(&mut self, page: usize) {
        let (now, is_reliable) = (self.local(page), self.is_reliable);
        self.pages[page].is_open = true;
        self.send(page, Up::Join);
        if is_reliable {
            // The answer to the ping that follows the hello.
            self.tell(page, Down::Event("pong", json!({})));
        }
        for up in core::mem::take(&mut self.pages[page].queue) {
            self.send(page, up);
        }
        self.pages[page].chat.handle_open(now, is_reliable);
        self.perform(page);
    }

    pub fn cut(&mut self, page: usize) {
        let is_reliable = self.is_reliable;
        let forgets = is_reliable && self.rng.u32(..3) == 0;
        let this = &mut self.pages[page];
        this.is_open = false;
        this.is_joined &= is_reliable;
        this.opens_at = self.now + self.rng.i64(100..3_000);
        let lost_up = core::mem::take(&mut this.up);
        let lost_down = core::mem::take(&mut this.down);
        if is_reliable {
            // What is not acknowledged goes out again before what waits, and what is stored comes again.
            for (_, up) in lost_up.into_iter().rev().filter(|(_, up)| up.is_numbered()) {
                this.queue.push_front(up);
            }
            let kept =
                lost_down.into_iter().filter(|(_, down)| down.is_stored() || matches!(down, Down::Acknowledged(_)));
            this.down = kept.map(|(_, down)| (i64::MAX, down)).collect();
            if forgets {
                this.down.retain(|(_, down)| !down.is_stored());
                this.down.push_front((i64::MAX, Down::Gap));
                self.gaps += 1;
            }
        }
        this.chat.handle_close();
        self.perform(page);
    }

    pub fn send(&mut self, page: usize, up: Up) {
        let at = self.arrival(self.pages[page].up.back().map(|(at, _)| *at));
        if let (Up::Message { client_id, .. }, false) = (&up, self.is_reliable) {
            self.pages[page].chat.handle_status(client_id, ChatStatus::Sent);
        }
        self.pages[page].up.push_back((at, up));
    }

    pub fn tell(&mut self, page: usize, down: Down) {
        // What a page has not heard yet that is away waits for it.
        let this = &mut self.pages[page];
        if !this.is_open {
            if self.is_reliable && (down.is_stored() || matches!(down, Down::Acknowledged(_))) {
                this.down.push_back((i64::MAX, down));
            }
            return;
        }
        for waiting in &mut this.down {
            waiting.0 = waiting.0.min(self.now);
        }
        let last = self.pages[page].down.back().map(|(at, _)| *at);
        let at = self.arrival(last);
        self.pages[page].down.push_back((at, down));
    }

    pub fn arrival(&mut self, last: Option<i64>) -> i64 {
        (self.now + self.rng.i64(5..200)).max(last.unwrap_or(0))
    }
}

pub fn pop_due<T>(queue: &mut VecDeque<(i64, T)>, now: i64) -> Option<(i64, T)> {
    queue.front().is_some_and(|(at, _)| *at <= now).then(|| queue.pop_front())?
}
