//! Messages that wait for a connection.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use super::Timestamp;
use super::config::{Overflow, Queue};
use super::message::{DropReason, Message, Purpose, Refusal, Refused};

/// A queue in order of acceptance, bounded by count and bytes, whose messages can expire.
#[derive(Debug)]
pub struct Outbox<M> {
    messages: VecDeque<Box<Message<M>>>,
    bytes: u64,
    /// No message expires before this point; exact after every [`Outbox::expire`].
    expiry: Timestamp,
}

impl<M> Default for Outbox<M> {
    fn default() -> Self {
        Self { messages: VecDeque::new(), bytes: 0, expiry: Timestamp::NEVER }
    }
}

impl<M: PartialEq> Outbox<M> {
    /// Appends a message in place of one with the same key; `displaced` is told what had to leave for it.
    pub fn push(
        &mut self,
        mut message: Box<Message<M>>,
        config: &Queue,
        now: Timestamp,
        displaced: &mut dyn FnMut(Box<Message<M>>, DropReason),
    ) -> Result<(), Refused<M>> {
        let key = &message.policy.coalesce;
        let rank = message.policy.rank;
        let same = |old: &Message<M>| {
            key.is_some() && old.policy.coalesce == *key && old.policy.rank <= rank && old.origin.is_none()
        };
        let freed = self.messages.iter().find(|old| same(old)).map(|old| old.bytes);
        let can_make_room =
            config.overflow == Overflow::DropOldest && config.max_messages > 0 && message.bytes <= config.max_bytes;
        if !can_make_room && !self.has_room(message.bytes, freed, config) {
            return Err(Refused { message, refusal: Refusal::QueueFull });
        }
        if freed.is_some() {
            self.extract(&|old| same(old).then_some(DropReason::Replaced), displaced);
        }
        while !self.has_room(message.bytes, None, config)
            && let Some(oldest) = self.pop()
        {
            displaced(oldest, DropReason::Overflow);
        }
        message.expires_at = expiry(&message, config, now);
        self.count(&message);
        self.messages.push_back(message);
        Ok(())
    }
}

impl<M> Outbox<M> {
    /// The oldest message.
    pub fn front(&self) -> Option<&Message<M>> {
        self.messages.front().map(|message| &**message)
    }

    /// Every message, oldest first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Box<Message<M>>> {
        self.messages.iter_mut()
    }

    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<Box<Message<M>>> {
        let message = self.messages.pop_front()?;
        self.bytes -= u64::from(message.bytes);
        Some(message)
    }

    /// Puts a message in front, whatever the bounds. One that never waited before starts to now.
    pub fn put_back(&mut self, mut message: Box<Message<M>>, config: &Queue, now: Timestamp) {
        if message.expires_at == Timestamp::NEVER {
            message.expires_at = expiry(&message, config, now);
        }
        self.count(&message);
        self.messages.push_front(message);
    }

    /// Takes out every message for which `fate` knows a reason.
    pub fn extract(
        &mut self,
        fate: &dyn Fn(&Message<M>) -> Option<DropReason>,
        extracted: &mut dyn FnMut(Box<Message<M>>, DropReason),
    ) {
        self.expiry = Timestamp::NEVER;
        for _ in 0..self.messages.len() {
            let Some(message) = self.pop() else { return };
            if let Some(reason) = fate(&message) {
                extracted(message, reason);
            } else {
                self.count(&message);
                self.messages.push_back(message);
            }
        }
    }

    /// Takes out every message whose time is over at `now`.
    pub fn expire(&mut self, now: Timestamp, expired: &mut dyn FnMut(Box<Message<M>>, DropReason)) {
        if now >= self.expiry {
            self.extract(&|message| (message.expires_at <= now).then_some(DropReason::Expired), expired);
        }
    }

    // One copy keeps the npm package smaller.
    #[inline(never)]
    fn count(&mut self, message: &Message<M>) {
        self.expiry = self.expiry.min(message.expires_at);
        self.bytes += u64::from(message.bytes);
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

    /// Whether `bytes` more would fit if a message of `freed` bytes were gone.
    pub fn has_room(&self, bytes: u32, freed: Option<u32>, config: &Queue) -> bool {
        self.messages.len() < config.max_messages as usize + usize::from(freed.is_some())
            && self.bytes + u64::from(bytes) <= u64::from(config.max_bytes) + u64::from(freed.unwrap_or(0))
    }
}

/// Joining and leaving sessions does not expire: every later message to the session relies on it.
fn expiry<M>(message: &Message<M>, config: &Queue, now: Timestamp) -> Timestamp {
    match message.purpose {
        Purpose::Join(_) | Purpose::Leave(_) => Timestamp::NEVER,
        Purpose::Ordinary | Purpose::Volatile | Purpose::Rejoin(_) => {
            now + message.policy.ttl_ms.unwrap_or(config.ttl_ms)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Outbox;
    use crate::proto::config::{Overflow, Queue};
    use crate::proto::{Config, DropReason, Message, Purpose, Refused, Timestamp};

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn queue(overflow: Overflow) -> Queue {
        Queue { max_messages: 3, max_bytes: 100, ttl_ms: 50, overflow }
    }

    fn ordinary(frame: char, bytes: u32) -> Box<Message<char>> {
        Message::new(frame, bytes, Purpose::Ordinary)
    }

    /// Pushes; returns what had to leave, as `-replaced` and `dropped`.
    fn push(
        outbox: &mut Outbox<char>,
        message: Box<Message<char>>,
        config: &Queue,
        now: Timestamp,
    ) -> Result<String, Refused<char>> {
        let mut left = String::new();
        outbox.push(message, config, now, &mut |message, reason| {
            left.extend((reason == DropReason::Replaced).then_some('-'));
            left.push(message.frame);
        })?;
        Ok(left)
    }

    fn expired(outbox: &mut Outbox<char>, now: Timestamp) -> String {
        let mut frames = String::new();
        outbox.expire(now, &mut |message, _| frames.push(message.frame));
        frames
    }

    fn drained(mut outbox: Outbox<char>) -> String {
        let mut frames = String::new();
        while let Some(message) = outbox.pop() {
            frames.push(message.frame);
        }
        assert_eq!(outbox.bytes(), 0);
        frames
    }

    #[test]
    fn what_goes_in_first_comes_out_first() {
        let mut outbox = Outbox::default();
        for frame in ['a', 'b', 'c'] {
            assert!(push(&mut outbox, ordinary(frame, 10), &queue(Overflow::Reject), at(0)).unwrap().is_empty());
        }
        assert_eq!((outbox.len(), outbox.bytes(), outbox.is_empty()), (3, 30, false));
        assert_eq!(drained(outbox), "abc");
    }

    #[test]
    fn only_dropping_the_oldest_makes_room() {
        for (overflow, dropped, left) in [
            (Overflow::Reject, None, "abc"),
            (Overflow::DropNewest, None, "abc"),
            (Overflow::DropOldest, Some("ab"), "cd"),
        ] {
            let config = queue(overflow);
            let mut outbox = Outbox::default();
            for frame in ['a', 'b', 'c'] {
                push(&mut outbox, ordinary(frame, 30), &config, at(0)).unwrap();
            }
            let made_room = push(&mut outbox, ordinary('d', 70), &config, at(0)).ok();
            assert_eq!(made_room.as_deref(), dropped, "{overflow:?}");
            assert_eq!(drained(outbox), left, "{overflow:?}");
        }
    }

    #[test]
    fn a_message_that_no_room_could_hold_is_refused_by_every_policy() {
        for overflow in [Overflow::Reject, Overflow::DropNewest, Overflow::DropOldest] {
            let config = queue(overflow);
            let mut outbox = Outbox::default();
            push(&mut outbox, ordinary('a', 10), &config, at(0)).unwrap();
            assert_eq!(push(&mut outbox, ordinary('b', 101), &config, at(0)).unwrap_err().message.frame, 'b');
            assert_eq!(drained(outbox), "a");
        }
    }

    #[test]
    fn each_message_expires_at_its_own_time() {
        let config = queue(Overflow::Reject);
        let mut outbox = Outbox::default();
        assert_eq!(outbox.poll_timeout(), Timestamp::NEVER);
        push(&mut outbox, ordinary('a', 10), &config, at(0)).unwrap();
        push(&mut outbox, ordinary('b', 10), &config, at(20)).unwrap();
        push(&mut outbox, Message::new('c', 10, Purpose::Join('s')), &config, at(0)).unwrap();
        assert_eq!(outbox.poll_timeout(), at(50));
        assert_eq!(expired(&mut outbox, at(49)), "");
        assert_eq!(expired(&mut outbox, at(50)), "a");
        assert_eq!((outbox.poll_timeout(), outbox.bytes()), (at(70), 20));
        assert_eq!(expired(&mut outbox, at(9_999)), "b");
        assert_eq!(outbox.poll_timeout(), Timestamp::NEVER);
        assert_eq!(drained(outbox), "c");
    }

    fn keyed(frame: char, bytes: u32) -> Box<Message<char>> {
        let mut message = ordinary(frame, bytes);
        message.policy.coalesce = Some('k');
        message
    }

    #[test]
    fn a_message_with_the_same_key_is_replaced_even_in_a_full_queue() {
        let config = queue(Overflow::Reject);
        let mut outbox = Outbox::default();
        for message in [keyed('a', 40), ordinary('b', 30), ordinary('c', 30)] {
            push(&mut outbox, message, &config, at(0)).unwrap();
        }
        let refused = push(&mut outbox, keyed('d', 41), &config, at(0)).unwrap_err();
        assert_eq!((refused.message.frame, outbox.len()), ('d', 3));
        assert_eq!(push(&mut outbox, keyed('e', 40), &config, at(0)).unwrap(), "-a");
        assert_eq!(drained(outbox), "bce");
    }

    #[test]
    fn a_message_can_have_a_time_of_its_own() {
        let config = queue(Overflow::Reject);
        let mut outbox = Outbox::default();
        let mut brief = ordinary('a', 10);
        brief.policy.ttl_ms = Some(5);
        push(&mut outbox, brief, &config, at(0)).unwrap();
        push(&mut outbox, ordinary('b', 10), &config, at(0)).unwrap();
        assert_eq!(expired(&mut outbox, at(5)), "a");
        assert_eq!(drained(outbox), "b");
    }

    #[test]
    fn restored_messages_come_first_whatever_the_bounds_and_are_nobodys_predecessors() {
        let config = queue(Overflow::Reject);
        let mut outbox = Outbox::default();
        push(&mut outbox, keyed('c', 90), &config, at(0)).unwrap();
        for frame in ['b', 'a'] {
            let mut message = keyed(frame, 90);
            (message.origin, message.seq) = (Some('x'), 7);
            outbox.put_back(message, &config, at(0));
        }
        assert_eq!(push(&mut outbox, keyed('d', 90), &Config::default().queue, at(0)).unwrap(), "-c");
        assert_eq!(outbox.bytes(), 270);
        assert_eq!(drained(outbox), "abd");
    }

    #[test]
    fn what_is_put_back_comes_out_first_and_keeps_its_time() {
        let config = queue(Overflow::Reject);
        let mut outbox = Outbox::default();
        push(&mut outbox, ordinary('a', 10), &config, at(0)).unwrap();
        let waited = outbox.pop().unwrap();
        push(&mut outbox, ordinary('d', 10), &Config::default().queue, at(10)).unwrap();
        for message in [ordinary('c', 10), waited] {
            outbox.put_back(message, &config, at(10));
        }
        assert_eq!(outbox.poll_timeout(), at(50));
        assert_eq!(expired(&mut outbox, at(50)), "a");
        assert_eq!(expired(&mut outbox, at(60)), "c");
        assert_eq!(drained(outbox), "d");
    }
}
