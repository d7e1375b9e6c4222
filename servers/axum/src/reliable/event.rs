//! An event on its way to streams and connections.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use serde::Serialize;

use crate::{connection::Connection, envelope, outgoing::Outgoing};

/// An event before it has a place: its type, and its JSON without the closing brace.
pub struct Event {
    kind: String,
    head: String,
    author: Option<Author>,
}

impl Event {
    /// An event of this type with this payload.
    pub fn new(kind: &str, data: &impl Serialize) -> Self {
        let mut head = envelope::json(kind, data);
        head.pop();
        Self { kind: kind.to_owned(), head, author: None }
    }

    /// The same from a connection that is not to be told.
    pub(super) fn from(self, author: Author) -> Self {
        Self { author: Some(author), ..self }
    }

    /// Why no client could take it for an event of the application.
    #[must_use]
    pub fn flaw(&self) -> Option<&'static str> {
        let before_data = r#"{"type":,"data":"#.len() + serde_json::to_string(&self.kind).map_or(0, |kind| kind.len());
        if !(1..=128).contains(&self.kind.len()) {
            Some("the type of an event has 1 to 128 bytes")
        } else if OF_THE_PROTOCOL.contains(&self.kind.as_str()) {
            Some("the type of an event is one of the protocol's: name it otherwise")
        } else if OF_CLIENTS.contains(&self.kind.as_str()) {
            Some("the type of an event is one that clients tell by themselves: name it otherwise")
        } else if self.head.as_bytes().get(before_data) != Some(&b'{') {
            Some("the data of an event is an object")
        } else {
            None
        }
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Who it is from, if that is this user.
    pub(super) fn author_of(&self, user: &str) -> Option<&Author> {
        self.author.as_ref().filter(|author| *author.connection.user == *user)
    }

    /// As it is stored for a user.
    pub(super) fn head_for(&self, user: &str) -> Cow<'_, str> {
        let mut head = Cow::Borrowed(self.head.as_str());
        if let Some(Author { client_id: Some(client_id), seq, .. }) = self.author_of(user) {
            // Client ids need no escapes.
            let _ = write!(head.to_mut(), r#","client_id":"{client_id}""#);
            if let Some(seq) = seq {
                let _ = write!(head.to_mut(), r#","seq":{seq}"#);
            }
        }
        head
    }

    /// Whether a connection is the one that it comes from.
    pub(super) fn is_from(&self, connection: &Connection) -> bool {
        self.author.as_ref().is_some_and(|author| author.connection.id == connection.id)
    }

    /// As a frame that is not stored.
    pub(super) fn plain(&self) -> Outgoing {
        Outgoing::text(&self.kind, format!("{}}}", self.head))
    }
}

/// Whose message has made an event that its own connection does not need. All connections of the user carry the same stream, so
/// there the event says which client id it is from.
#[derive(Clone)]
pub struct Author {
    pub(super) connection: Arc<Connection>,
    pub(super) client_id: Option<Arc<str>>,
    pub(super) seq: Option<u64>,
}

/// The frame of an event that is not stored; none, and an error in the logs, where no client could take it for an event of the application.
pub fn transient_frame(kind: &str, data: &impl Serialize) -> Option<Outgoing> {
    let event = Event::new(kind, data);
    if let Some(flaw) = event.flaw() {
        tracing::error!(kind, flaw, "an event is not sent");
        return None;
    }
    Some(Outgoing::text(kind, event.head + "}"))
}

/// What has another meaning to clients, and is never stored.
const OF_THE_PROTOCOL: [&str; 6] = ["hello", "welcome", "ack", "stream", "reply", "receipt"];

/// What clients tell of themselves by these names, so that an event of a server's never reaches its handlers.
const OF_CLIENTS: [&str; 8] = ["open", "close", "state", "reconnecting", "give_up", "drop", "gap", "invalid"];
