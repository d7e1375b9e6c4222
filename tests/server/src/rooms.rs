//! How sessions and matches are named as rooms.

use everwire_axum::Room;

/// The room of a session of MasterX.
pub fn session(id: &str) -> Room {
    Room::new(&format!("{SESSION}{id}"))
}

/// The room of a match of CoLabMatch.
pub fn of_match(id: &str) -> Room {
    Room::new(&format!("{MATCH}{id}"))
}

/// The session whose room it is.
pub fn session_id(room: &Room) -> Option<&str> {
    room.as_str().strip_prefix(SESSION)
}

/// The match whose room it is.
pub fn match_id(room: &Room) -> Option<&str> {
    room.as_str().strip_prefix(MATCH)
}

const SESSION: &str = "session:";
const MATCH: &str = "match:";
