//! Messages that wait for a connection.

use std::collections::VecDeque;

use super::Timestamp;
use super::config::{Overflow, Queue};
use super::io::{Message, Purpose, Refusal, Refused};

/// A queue in order of acceptance, bounded by count and bytes, whose messages can expire.
#[derive(Debug)]
pub struct Outbox<M> {
    messages: VecDeque<Message<M>>,
    bytes: u64,
    /// No message expires before this point; exact after every [`Outbox::expire`].
    expiry: Timestamp,
}

impl<M> Default for Outbox<M> {
    fn default() -> Self {
        Self { messages: VecDeque::new(), bytes: 0, expiry: Timestamp::NEVER }
    }
}

impl<M> Outbox<M> {
    /// Appends a message; returns what had to make room for it, oldest first.
    pub fn push(
        &mut self,
        mut message: Message<M>,
        config: &Queue,
        now: Timestamp,
    ) -> Result<Vec<Message<M>>, Refused<M>> {
        let can_make_room =
            config.overflow == Overflow::DropOldest && config.max_messages > 0 && message.bytes <= config.max_bytes;
        if !can_make_room && !self.has_room(message.bytes, config) {
            return Err(Refused { message, refusal: Refusal::QueueFull });
        }
        let mut dropped = Vec::new();
        while !self.has_room(message.bytes, config) {
            dropped.extend(self.pop());
        }
        message.expires_at = expiry(&message.purpose, config, now);
        self.expiry = self.expiry.min(message.expires_at);
        self.bytes += u64::from(message.bytes);
        self.messages.push_back(message);
        Ok(dropped)
    }

    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<Message<M>> {
        let message = self.messages.pop_front()?;
        self.bytes -= u64::from(message.bytes);
        Some(message)
    }

    /// Puts messages that could not be handed over in front; returns those that have no room, oldest first.
    ///
    /// A message that never waited before may find no room, and its time to live starts now.
    pub fn put_back(&mut self, messages: Vec<Message<M>>, config: &Queue, now: Timestamp) -> Vec<Message<M>> {
        let mut dropped = Vec::new();
        for mut message in messages.into_iter().rev() {
            if !self.has_room(message.bytes, config) {
                dropped.push(message);
                continue;
            }
            if message.expires_at == Timestamp::NEVER {
                message.expires_at = expiry(&message.purpose, config, now);
            }
            self.expiry = self.expiry.min(message.expires_at);
            self.bytes += u64::from(message.bytes);
            self.messages.push_front(message);
        }
        dropped.reverse();
        dropped
    }

    /// Takes out every message whose time is over at `now`.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Message<M>> {
        if now < self.expiry {
            return Vec::new();
        }
        let mut expired = Vec::new();
        let mut expiry = Timestamp::NEVER;
        for message in core::mem::take(&mut self.messages) {
            if message.expires_at <= now {
                self.bytes -= u64::from(message.bytes);
                expired.push(message);
            } else {
                expiry = expiry.min(message.expires_at);
                self.messages.push_back(message);
            }
        }
        self.expiry = expiry;
        expired
    }

    /// When to call [`expire`](Self::expire); sometimes early, never late.
    pub fn poll_timeout(&self) -> Timestamp {
        if self.messages.is_empty() { Timestamp::NEVER } else { self.expiry }
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The bytes of all frames that wait.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn has_room(&self, bytes: u32, config: &Queue) -> bool {
        self.messages.len() < config.max_messages as usize
            && self.bytes + u64::from(bytes) <= u64::from(config.max_bytes)
    }
}

/// Joining and leaving sessions does not expire: every later message to the session relies on it.
fn expiry(purpose: &Purpose, config: &Queue, now: Timestamp) -> Timestamp {
    match purpose {
        Purpose::Join(_) | Purpose::Leave(_) => Timestamp::NEVER,
        Purpose::Ordinary | Purpose::Ephemeral | Purpose::Rejoin(_) => now + config.ttl_ms,
    }
}
