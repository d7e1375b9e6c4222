//! Events that wait for their acknowledgements.

use alloc::vec::Vec;

use crate::proto::Timestamp;
use crate::proto::requests::Requests;

/// Which events of this client wait for an acknowledgement, by the numbers of their messages, which are the ids on the wire.
///
/// It outlives connections, as the queue does that the events may wait in. At most 16 384 wait.
#[derive(Debug, Default)]
pub struct Acks {
    waiting: Requests,
    /// Those of the waiting that were handed to the socket of this connection.
    handed_over: Vec<u64>,
}

impl Acks {
    /// Whether one more would be too many, so that its event is to be refused.
    pub const fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_ACKS
    }

    /// An event was accepted whose acknowledgement has to come before `until`.
    pub fn ask(&mut self, id: u64, until: Timestamp) {
        self.waiting.push(id, until);
    }

    /// Whether the event of this number waits for one, and so has the number as its id on the wire.
    pub fn is_asked(&self, id: u64) -> bool {
        self.waiting.contains(id)
    }

    /// The socket has taken the event.
    pub fn hand_over(&mut self, id: u64) {
        if self.is_asked(id) {
            self.handed_over.push(id);
        }
    }

    /// An acknowledgement has come. False if nobody waits for it: its event was never sent, is acknowledged, or has waited long enough.
    pub fn handle_ack(&mut self, id: u64) -> bool {
        // A server cannot acknowledge what it was not sent.
        self.handed_over.contains(&id) && self.forget(id)
    }

    /// The event is taken back or dropped; false if nobody waits for its acknowledgement.
    pub fn forget(&mut self, id: u64) -> bool {
        self.handed_over.retain(|handed_over| *handed_over != id);
        self.waiting.remove(id)
    }

    /// Takes out an event that has waited long enough. One that was not sent yet should not be any more.
    pub fn handle_timeout(&mut self, now: Timestamp) -> Option<u64> {
        let id = self.waiting.expire(now)?;
        self.handed_over.retain(|handed_over| *handed_over != id);
        Some(id)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Timestamp {
        self.waiting.poll_timeout()
    }

    /// Takes out the events of the connection that has ended: nobody will acknowledge them. Those that were never handed over wait on.
    pub fn handle_end(&mut self) -> Vec<u64> {
        let lost = core::mem::take(&mut self.handed_over);
        for id in &lost {
            self.waiting.remove(*id);
        }
        lost
    }
}

/// How many events of one client can wait for their acknowledgements.
pub const MAX_ACKS: usize = 16_384;
