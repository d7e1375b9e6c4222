//! What a server decides for itself.

use std::sync::Arc;

use crate::{
    action::Action, connection::Connection, frame::Envelope, limits::Class, outgoing::Outgoing, refusal::Refusal,
    room::Room,
};

/// What the messages of clients mean. [`Everwire`](crate::Everwire) is one for handlers of typed messages; a server that wants to decide
/// before a message reaches the database, or without a database at all, implements this itself and starts an
/// [`Engine`](crate::Engine) with it.
///
/// The methods are called on the tasks of connections and must not block.
pub trait Application: Send + Sync + 'static {
    /// Whether a message may be done, and what it does then. What this changes in memory happens whether or not the action does;
    /// everything else belongs into the action. A panic is a refusal.
    ///
    /// # Errors
    /// Why it may not be done: the client is answered with `error`.
    fn prepare(&self, from: &Arc<Connection>, message: Envelope) -> Result<Action, Refusal>;

    /// What a type of message is charged to.
    fn class(&self, _kind: &str) -> Class {
        Class::Message
    }

    /// Whether messages of a type join a room. Clients that have said `hello` may join over the rate limit, as often as they may ping.
    fn joins(&self, _kind: &str) -> bool {
        false
    }

    /// What is sent to each connection first.
    fn greeting(&self, _user: &str) -> Option<Outgoing> {
        None
    }

    /// A user has come online with their first connection, or has gone with their last, to whichever node. Called in the order in which it
    /// happens.
    fn presence(&self, _user: &Arc<str>, _online: bool) {}

    /// A user's last connection to this process has gone, and they were in these rooms.
    fn left(&self, _user: &Arc<str>, _rooms: &[Room]) {}

    /// A connection was taken up.
    fn accepted(&self, _user: &str) {}

    /// A message has come in.
    fn received(&self, _from: &Connection, _message: &Envelope) {}

    /// A frame has come in that is no message.
    fn received_malformed(&self, _from: &Connection, _text: &str) {}

    /// Whether handshakes are to be refused with HTTP 503, of this user or, if it is not known, of anyone.
    fn refuses(&self, _user: Option<&str>) -> bool {
        false
    }

    /// Whether new connections of a user are to be silent, as if the link were dead. For tests.
    fn is_silenced(&self, _user: &str) -> bool {
        false
    }
}
