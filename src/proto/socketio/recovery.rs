//! What a server needs to let a client go on where its last connection ended.

use core::fmt;

use crate::proto::coded::coded;
use crate::proto::wire::socketio::{Arguments, PacketValue};

/// The session of a client, past the connections that carry it (docs/SOCKETIO.md, recovery).
pub struct Recovery<V: PacketValue> {
    /// Whether the client was in its namespace before.
    was_joined: bool,
    pid: Option<V::Text>,
    offset: Option<V::Text>,
}

coded! {
    /// How a session relates to the one before. Exhaustive: there are no other ways.
    pub enum Continuity {
        /// There was none before.
        First = "first",
        /// It is the same: the server sends what was missed, once and in order.
        Recovered = "recovered",
        /// It is another: what the server has sent in between is lost.
        Lost = "lost",
    }
}

impl<V: PacketValue> Default for Recovery<V> {
    fn default() -> Self {
        Self { was_joined: false, pid: None, offset: None }
    }
}

impl<V: PacketValue> Recovery<V> {
    /// The members `pid` and `offset` that a CONNECT needs to ask for the session before; `None` if it cannot be asked for.
    pub fn claim(&self) -> Option<(&V::Text, &V::Text)> {
        self.pid.as_ref().zip(self.offset.as_ref())
    }

    /// The client is in its namespace, with the `pid` of the server's CONNECT. Comes before the events of the connection.
    pub fn handle_joined(&mut self, pid: Option<&V::Text>) -> Continuity {
        if self.was_joined && pid.is_some() && self.pid.as_ref() == pid {
            return Continuity::Recovered;
        }
        (self.pid, self.offset) = (pid.cloned(), None);
        if core::mem::replace(&mut self.was_joined, true) { Continuity::Lost } else { Continuity::First }
    }

    /// An event is delivered. Servers that can recover a session append where it stands to every event that they can repeat.
    pub fn handle_event(&mut self, id: Option<u64>, arguments: &Arguments<V>) {
        if self.pid.is_some()
            && id.is_none()
            && let Some(offset) = arguments.array.last_text()
        {
            self.offset = Some(offset);
        }
    }
}

impl<V: PacketValue> fmt::Debug for Recovery<V> {
    /// Does not show the `pid`: who knows it can take the session over.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recovery")
    }
}
