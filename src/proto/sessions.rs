//! The sessions that a reconnect has to enter again.

use alloc::vec::Vec;

/// Joined sessions in the order of joining, each with the frame that joins it. `M` is the type of text.
#[derive(Debug)]
pub struct Sessions<M> {
    joined: Vec<(M, M)>,
}

impl<M> Default for Sessions<M> {
    fn default() -> Self {
        Self { joined: Vec::new() }
    }
}

impl<M: PartialEq> Sessions<M> {
    /// Remembers that the server was asked to let this client in. Returns the frame that had joined the session before.
    pub fn join(&mut self, session: M, frame: M) -> Option<M> {
        match self.joined.iter_mut().find(|(known, _)| *known == session) {
            Some((_, known)) => Some(core::mem::replace(known, frame)),
            None => {
                self.joined.push((session, frame));
                None
            }
        }
    }

    /// Forgets a session. Returns the frame that had joined it.
    pub fn leave(&mut self, session: &M) -> Option<M> {
        let index = self.joined.iter().position(|(known, _)| known == session)?;
        Some(self.joined.remove(index).1)
    }

    /// Whether one more session would be too many to rejoin.
    pub fn is_full_for(&self, session: &M) -> bool {
        self.joined.len() >= MAX_SESSIONS && !self.joined.iter().any(|(known, _)| known == session)
    }

    /// Every session with the frame that joins it, in order.
    pub fn joined(&self) -> &[(M, M)] {
        &self.joined
    }
}

/// How many sessions one client can be in at a time.
pub const MAX_SESSIONS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::{MAX_SESSIONS, Sessions};

    fn frames(sessions: &Sessions<String>) -> String {
        sessions.joined().iter().map(|(_, frame)| frame.as_str()).collect()
    }

    #[test]
    fn sessions_keep_the_order_of_joining_and_the_latest_frame() {
        let mut sessions = Sessions::default();
        for (session, frame) in [("x", "a"), ("y", "b"), ("z", "c"), ("x", "d")] {
            sessions.join(session.to_owned(), frame.to_owned());
        }
        assert_eq!(frames(&sessions), "dbc");
        sessions.leave(&"y".into());
        sessions.leave(&"unknown".into());
        assert_eq!(frames(&sessions), "dc");
    }

    #[test]
    fn full_is_full_for_new_sessions_only() {
        let mut sessions = Sessions::default();
        for number in 0..MAX_SESSIONS {
            assert!(!sessions.is_full_for(&"new".into()));
            sessions.join(number.to_string(), "a".to_owned());
        }
        assert!(sessions.is_full_for(&"new".into()));
        assert!(!sessions.is_full_for(&"0".into()));
        sessions.leave(&"0".into());
        assert!(!sessions.is_full_for(&"new".into()));
    }
}
