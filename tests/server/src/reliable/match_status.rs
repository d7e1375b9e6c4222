//! The status of a match, changed where everything else about it is decided.

use std::sync::Arc;

use rusqlite::{Connection as Database, params};
use serde_json::json;

use super::{
    changes::Change,
    ledger::{Event, Ledger},
    members,
};
use crate::{
    hub::{Audience, Room},
    messages::{self, MatchStatus},
};

impl Ledger {
    /// Changes the status of a match, tells its users, and ends their membership unless it is active. Says whether it was another
    /// before; `None` if there is no such match.
    pub fn set_match_status(
        &mut self,
        database: &Database,
        id: &str,
        status: MatchStatus,
    ) -> rusqlite::Result<Option<bool>> {
        let Some(users) = messages::set_status(database, id, status)? else {
            let exists = database.prepare_cached("SELECT 1 FROM matches WHERE id = ?1")?.exists(params![id])?;
            return Ok(exists.then_some(false));
        };
        let event =
            Event::new("session_update", &json!({ "session_id": id, "match_id": id, "status": status.as_str() }));
        for user in users.map(Arc::<str>::from) {
            let audience = if self.hub.is_streamed(&user) {
                Audience { plain: Vec::new(), streamed: vec![user.clone()] }
            } else {
                Audience { plain: self.hub.connections(Some(&user)), streamed: Vec::new() }
            };
            self.publish(database, &audience, &event, None, None)?;
            if status != MatchStatus::Active {
                let room = Room::of_match(id);
                self.hub.leave(&user, &room);
                if self.hub.is_streamed(&user) {
                    members::leave(database, &user, &room)?;
                    self.memberships_changed(database, &user, &Change::Left(room))?;
                }
            }
        }
        Ok(Some(true))
    }
}
