//! Who gets an event.

use std::sync::Arc;

use super::{Hub, State};
use crate::{
    bus::To,
    connection::Connection,
    memberships::{Members, Moves},
    room::Room,
};

/// Who gets an event of a room.
pub struct Audience {
    /// Connections that get it at once.
    pub plain: Vec<Arc<Connection>>,
    /// Users whose events are stored.
    pub streamed: Vec<Arc<str>>,
    /// Whom other nodes are to give it at once.
    pub(crate) elsewhere: Option<To>,
}

impl Audience {
    /// Whether anyone else than this user is among them.
    pub fn has_others(&self, than: &str) -> bool {
        self.plain.iter().any(|connection| &*connection.user != than)
            || self.streamed.iter().any(|user| &**user != than)
    }
}

impl Hub {
    /// Who gets an event that is for a user.
    pub fn audience_of_user(&self, user: &str) -> Audience {
        if self.is_streamed(user) {
            Audience { plain: Vec::new(), streamed: vec![user.into()], elsewhere: None }
        } else {
            let elsewhere = self.is_elsewhere(user).then(|| To::User(user.to_owned()));
            Audience { plain: self.connections(Some(user)), streamed: Vec::new(), elsewhere }
        }
    }

    /// Who gets an event of a room, except for the connection that it comes from.
    pub fn audience(&self, room: &Room, except: Option<u64>) -> Audience {
        self.audience_after(&Moves::default(), room, except)
    }

    pub(super) fn audience_of(&self, state: &State, members: &Members, room: &Room, except: Option<u64>) -> Audience {
        let plain = members.present.iter().filter(|user| !members.streamed.contains(*user));
        let connections = plain.filter_map(|user| state.users.get(user)).flatten();
        Audience {
            plain: connections.filter(|connection| Some(connection.id) != except).cloned().collect(),
            streamed: members.streamed.iter().cloned().collect(),
            elsewhere: self.bus().map(|_| To::Room(room.as_str().to_owned())),
        }
    }

    /// Who gets an event for everyone.
    pub fn everyone(&self) -> Audience {
        let state = self.state.read();
        let plain = state.users.iter().filter(|(user, _)| !state.memberships.is_streamed(user));
        Audience {
            plain: plain.flat_map(|(_, connections)| connections).cloned().collect(),
            streamed: state.memberships.streamed().cloned().collect(),
            elsewhere: self.bus().map(|_| To::Everyone),
        }
    }
}
