//! What every request and every message shares.

use std::sync::Arc;

use everwire_axum::{
    Action, Application, Class, Connection, Envelope, Hub, Outgoing, RateLimits, Refusal, Room, Store, Tokens,
    envelope, unknown_type,
};
use parking_lot::Mutex;
use serde_json::json;

use crate::{
    colabmatch,
    dev::Dev,
    masterx,
    matches::Matches,
    metrics::{Metrics, Snapshot},
    options::Options,
    trail::Trail,
    typing::Typists,
};

/// The parts of a running server.
pub struct App {
    pub options: Options,
    pub tokens: Arc<Tokens>,
    pub hub: Arc<Hub>,
    pub matches: Matches,
    pub typists: Mutex<Typists>,
    pub limits: Arc<RateLimits>,
    pub metrics: Arc<Metrics>,
    pub trail: Arc<Trail>,
    pub dev: Option<Dev>,
}

impl Application for App {
    fn prepare(&self, from: &Arc<Connection>, message: Envelope) -> Result<Action, Refusal> {
        let hub = &self.hub;
        match message.kind.as_str() {
            "echo" => Ok(Action::Answer { kind: "echo", data: message.data }),
            "join_session" => masterx::join(hub, from, message),
            "leave_session" => masterx::leave(hub, from, message),
            "user_typing" => masterx::typing(hub, from, message),
            "message_sent" => masterx::message(self, from, message),
            "join_match" => colabmatch::join(self, from, message),
            "send_message" => colabmatch::send(self, from, message),
            "typing" => colabmatch::typing(self, from, message),
            "read_message" => colabmatch::read(self, from, message),
            unknown => Err(unknown_type(unknown)),
        }
    }

    fn class(&self, kind: &str) -> Class {
        match kind {
            "send_message" => Class::Chat,
            "typing" | "user_typing" => Class::Typing,
            _ => Class::Message,
        }
    }

    fn joins(&self, kind: &str) -> bool {
        matches!(kind, "join_session" | "join_match")
    }

    fn greeting(&self, user: &str) -> Option<Outgoing> {
        Some(envelope::event("connected", &json!({ "user_id": user })))
    }

    fn presence(&self, user: &Arc<str>, online: bool) {
        colabmatch::presence(self, user, online);
    }

    fn left(&self, user: &Arc<str>, rooms: &[Room]) {
        colabmatch::left(self, user, rooms);
    }

    fn accepted(&self, user: &str) {
        if let Some(dev) = &self.dev {
            dev.accepted(user);
        }
    }

    fn received(&self, from: &Connection, message: &Envelope) {
        if let Some(dev) = &self.dev {
            dev.record(from, message);
        }
    }

    fn received_malformed(&self, from: &Connection, text: &str) {
        if let Some(dev) = &self.dev {
            dev.record_malformed(from, text);
        }
    }

    fn refuses(&self, user: Option<&str>) -> bool {
        self.dev.as_ref().is_some_and(|dev| dev.refuses(user))
    }

    fn is_silenced(&self, user: &str) -> bool {
        self.dev.as_ref().is_some_and(|dev| dev.is_silenced(user))
    }
}

impl App {
    /// The database.
    pub fn store(&self) -> &Store {
        self.matches.store()
    }

    /// The metrics as text.
    pub fn render_metrics(&self) -> Result<String, std::fmt::Error> {
        let queues = self.hub.connections(None).into_iter().map(|connection| connection.queue_len());
        let (queued_frames, longest_queue) = queues.fold((0, 0), |(sum, longest), len| (sum + len, longest.max(len)));
        self.metrics.render(&Snapshot { queued_frames, longest_queue, sessions: self.hub.rooms() })
    }
}
