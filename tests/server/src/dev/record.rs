//! What arrived, in order.

use std::{collections::VecDeque, sync::Arc};

use everwire_axum::{Connection, Envelope};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// The last frames that were received, oldest dropped.
pub struct Record {
    frames: VecDeque<Received>,
    capacity: usize,
}

/// One frame as `GET /dev/received` shows it.
#[derive(Clone, Serialize)]
pub struct Received {
    #[serde(skip)]
    user: Arc<str>,
    connection: u64,
    /// `null` for a frame that is not a message; `data` is then its text.
    r#type: Option<String>,
    data: Box<RawValue>,
    timestamp: Option<i64>,
    /// It came in while the connection was silent, and caused nothing.
    ignored: bool,
}

impl Record {
    pub fn new(capacity: usize) -> Self {
        Self { frames: VecDeque::new(), capacity }
    }

    pub fn push(&mut self, from: &Connection, envelope: &Envelope) {
        if self.capacity > 0 {
            let Envelope { kind, data, timestamp } = envelope.clone();
            self.add(from, Some(kind), data, timestamp);
        }
    }

    pub fn push_malformed(&mut self, from: &Connection, text: &str) {
        if self.capacity > 0
            && let Ok(text) = to_raw_value(text)
        {
            self.add(from, None, text, None);
        }
    }

    fn add(&mut self, from: &Connection, kind: Option<String>, data: Box<RawValue>, timestamp: Option<i64>) {
        if self.frames.len() == self.capacity {
            self.frames.pop_front();
        }
        self.frames.push_back(Received {
            user: from.user.clone(),
            connection: from.id,
            r#type: kind,
            data,
            timestamp,
            ignored: from.is_silent(),
        });
    }

    /// Frames of a user (or everyone), of one type (or any).
    pub fn select(&self, user: Option<&str>, kind: Option<&str>) -> Vec<Received> {
        self.frames
            .iter()
            .filter(|frame| user.is_none_or(|user| *frame.user == *user))
            .filter(|frame| kind.is_none_or(|kind| frame.r#type.as_deref() == Some(kind)))
            .cloned()
            .collect()
    }

    /// Forgets frames of a user (or everyone) and says how many.
    pub fn clear(&mut self, user: Option<&str>) -> usize {
        let before = self.frames.len();
        self.frames.retain(|frame| user.is_some_and(|user| *frame.user != *user));
        before - self.frames.len()
    }
}
