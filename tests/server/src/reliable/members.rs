//! The rooms whose stored events a user gets, also while they are away.

use rusqlite::{Connection as Database, params};

use crate::hub::Room;

/// Remembers that a user is in a room.
pub fn join(database: &Database, user: &str, room: &Room) -> rusqlite::Result<()> {
    database
        .prepare_cached("INSERT OR IGNORE INTO members (user_id, room) VALUES (?1, ?2)")?
        .execute(params![user, spell(room)])
        .map(drop)
}

/// Forgets it.
pub fn leave(database: &Database, user: &str, room: &Room) -> rusqlite::Result<()> {
    database
        .prepare_cached("DELETE FROM members WHERE user_id = ?1 AND room = ?2")?
        .execute(params![user, spell(room)])
        .map(drop)
}

/// Forgets all rooms of a user.
pub fn leave_all(database: &Database, user: &str) -> rusqlite::Result<()> {
    database.prepare_cached("DELETE FROM members WHERE user_id = ?1")?.execute([user]).map(drop)
}

/// The rooms of a user.
pub fn rooms(database: &Database, user: &str) -> rusqlite::Result<Vec<Room>> {
    let stored: Vec<String> = database
        .prepare_cached("SELECT room FROM members WHERE user_id = ?1")?
        .query_map([user], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(stored.iter().filter_map(|room| read(room)).collect())
}

fn spell(room: &Room) -> String {
    match room {
        Room::Session(id) => format!("session:{id}"),
        Room::Match(id) => format!("match:{id}"),
    }
}

fn read(room: &str) -> Option<Room> {
    match room.split_once(':')? {
        ("session", id) => Some(Room::session(id)),
        ("match", id) => Some(Room::of_match(id)),
        _ => None,
    }
}
