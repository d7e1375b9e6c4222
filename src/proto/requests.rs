//! Requests that wait for their replies.

use alloc::vec::Vec;

use super::Timestamp;

/// Each request by its message's number, with the moment when it has waited long enough.
#[derive(Debug, Default)]
pub struct Requests {
    waiting: Vec<(u64, Timestamp)>,
}

impl Requests {
    /// Whether one more would be too many.
    pub const fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_REQUESTS
    }

    /// How many wait.
    #[cfg(feature = "socketio")]
    pub const fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Starts to wait.
    pub fn push(&mut self, seq: u64, until: Timestamp) {
        self.waiting.push((seq, until));
    }

    /// Whether it waits.
    #[cfg(feature = "socketio")]
    pub fn contains(&self, seq: u64) -> bool {
        self.waiting.iter().any(|(waiting, _)| *waiting == seq)
    }

    /// Stops waiting; false if nobody waited.
    pub fn remove(&mut self, seq: u64) -> bool {
        let index = self.waiting.iter().position(|(waiting, _)| *waiting == seq);
        index.map(|index| self.waiting.remove(index)).is_some()
    }

    /// Takes out a request that has waited long enough.
    pub fn expire(&mut self, now: Timestamp) -> Option<u64> {
        let (seq, _) = *self.waiting.iter().find(|(_, until)| *until <= now)?;
        self.remove(seq);
        Some(seq)
    }

    /// When to call [`expire`](Self::expire).
    pub fn poll_timeout(&self) -> Timestamp {
        self.waiting.iter().map(|(_, until)| *until).min().unwrap_or(Timestamp::NEVER)
    }
}

/// How many requests one client can wait for.
pub const MAX_REQUESTS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::{MAX_REQUESTS, Requests, Timestamp};

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_request_is_answered_at_most_once_and_not_after_its_time() {
        let mut requests = Requests::default();
        requests.push(1, at(50));
        requests.push(2, at(20));
        requests.push(3, at(50));
        assert_eq!(requests.poll_timeout(), at(20));
        assert!(requests.remove(3));
        assert!(!requests.remove(3));
        assert_eq!((requests.expire(at(20)), requests.expire(at(20))), (Some(2), None));
        assert!(!requests.remove(2));
        assert_eq!((requests.expire(at(99)), requests.poll_timeout()), (Some(1), Timestamp::NEVER));
    }

    #[test]
    fn requests_are_bounded() {
        let mut requests = Requests::default();
        for seq in 0..MAX_REQUESTS as u64 {
            assert!(!requests.is_full());
            requests.push(seq, at(1));
        }
        assert!(requests.is_full());
    }
}
