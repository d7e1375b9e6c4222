//! Who is in which room while they are away: the rooms that a user has joined and not left, to which their numbered messages
//! may go, and those whose stored events they get.

use rusqlite::{Connection as Database, OptionalExtension as _, params};

use crate::hub::{MAX_ROOMS_PER_USER, Room};

/// Remembers that a user is in a room.
pub fn join(database: &Database, user: &str, room: &Room) -> rusqlite::Result<()> {
    let room = spell(room);
    database
        .prepare_cached("INSERT OR IGNORE INTO members (user_id, room) VALUES (?1, ?2)")?
        .execute(params![user, room])?;
    // A new id, so that the rooms joined last are those with the highest.
    database
        .prepare_cached("INSERT OR REPLACE INTO joined (user_id, room) VALUES (?1, ?2)")?
        .execute(params![user, room])?;
    database
        .prepare_cached(
            "DELETE FROM joined WHERE id IN
             (SELECT id FROM joined WHERE user_id = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![user, MAX_ROOMS_PER_USER as i64])
        .map(drop)
}

/// Forgets it.
pub fn leave(database: &Database, user: &str, room: &Room) -> rusqlite::Result<()> {
    lapse(database, user, room)?;
    database
        .prepare_cached("DELETE FROM joined WHERE user_id = ?1 AND room = ?2")?
        .execute(params![user, spell(room)])
        .map(drop)
}

/// Ends a room's events for a user, who may still send to it.
pub fn lapse(database: &Database, user: &str, room: &Room) -> rusqlite::Result<()> {
    database
        .prepare_cached("DELETE FROM members WHERE user_id = ?1 AND room = ?2")?
        .execute(params![user, spell(room)])
        .map(drop)
}

/// Forgets all rooms of a user.
pub fn leave_all(database: &Database, user: &str) -> rusqlite::Result<()> {
    database.prepare_cached("DELETE FROM members WHERE user_id = ?1")?.execute([user])?;
    database.prepare_cached("DELETE FROM joined WHERE user_id = ?1")?.execute([user]).map(drop)
}

/// Whether a user has joined a room and not left it.
pub fn has_joined(database: &Database, user: &str, room: &Room) -> rusqlite::Result<bool> {
    let found = database
        .prepare_cached("SELECT 1 FROM joined WHERE user_id = ?1 AND room = ?2")?
        .query_row(params![user, spell(room)], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// The rooms whose stored events a user gets.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reliable::SCHEMA;

    fn database() -> Database {
        let database = Database::open_in_memory().unwrap();
        database.execute_batch(SCHEMA).unwrap();
        database
    }

    #[test]
    fn who_has_not_joined_again_may_send_and_gets_nothing_and_who_has_left_may_not() {
        let database = database();
        let [s1, m1] = [Room::session("1"), Room::of_match("1")];
        join(&database, "ada", &s1).unwrap();
        lapse(&database, "ada", &s1).unwrap();
        assert!(rooms(&database, "ada").unwrap().is_empty());
        let may_send = |user, room| has_joined(&database, user, room).unwrap();
        assert_eq!((may_send("ada", &s1), may_send("ada", &m1), may_send("ben", &s1)), (true, false, false));
        leave(&database, "ada", &s1).unwrap();
        assert!(!may_send("ada", &s1));
        join(&database, "ada", &m1).unwrap();
        leave_all(&database, "ada").unwrap();
        assert!(!may_send("ada", &m1) && rooms(&database, "ada").unwrap().is_empty());
    }

    #[test]
    fn those_joined_last_are_remembered() {
        let database = database();
        let room = |n: usize| Room::session(&n.to_string());
        let may_send = |n| has_joined(&database, "ada", &room(n)).unwrap();
        for n in 0..MAX_ROOMS_PER_USER {
            join(&database, "ada", &room(n)).unwrap();
        }
        join(&database, "ada", &room(0)).unwrap();
        assert!(may_send(0) && may_send(1));
        join(&database, "ada", &room(MAX_ROOMS_PER_USER)).unwrap();
        assert!(may_send(0) && !may_send(1) && may_send(2) && may_send(MAX_ROOMS_PER_USER));
    }
}
