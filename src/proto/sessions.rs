//! The sessions that a reconnect has to enter again.

/// Joined sessions in the order of joining, each with the frame that joins it.
#[derive(Debug)]
pub struct Sessions<M> {
    joined: Vec<(String, M)>,
}

impl<M> Default for Sessions<M> {
    fn default() -> Self {
        Self { joined: Vec::new() }
    }
}

impl<M> Sessions<M> {
    /// Remembers that the server was asked to let this client in.
    pub fn join(&mut self, session: String, frame: M) {
        match self.joined.iter_mut().find(|(known, _)| *known == session) {
            Some((_, known)) => *known = frame,
            None => self.joined.push((session, frame)),
        }
    }

    /// Forgets a session.
    pub fn leave(&mut self, session: &str) {
        self.joined.retain(|(known, _)| known != session);
    }

    /// Whether one more session would be too many to rejoin.
    pub fn is_full_for(&self, session: &str) -> bool {
        self.joined.len() >= MAX_SESSIONS && !self.joined.iter().any(|(known, _)| known == session)
    }

    /// Every session with the frame that joins it, in order.
    pub fn joined(&self) -> &[(String, M)] {
        &self.joined
    }
}

/// How many sessions one client can be in at a time.
pub const MAX_SESSIONS: usize = 1_000;
