//! Who is in which room while they are away: the rooms that a user has joined and not left, to which their numbered messages
//! may go, and those whose stored events they get because of what a client of theirs has joined.

use crate::{
    database::{Database, Result},
    memberships::MAX_ROOMS_PER_USER,
    room::Room,
};

/// Remembers that a user may send to a room.
pub fn allow(database: &Database, user: &str, room: &Room) -> Result<()> {
    let room = room.as_str();
    // A new id, so that the rooms joined last are those with the highest.
    database.execute("DELETE FROM everwire_joined WHERE user_id = ?1 AND room = ?2", &[&user, &room])?;
    database.execute("INSERT INTO everwire_joined (user_id, room) VALUES (?1, ?2)", &[&user, &room])?;
    database
        .execute(
            "DELETE FROM everwire_joined WHERE id IN
             (SELECT id FROM everwire_joined WHERE user_id = ?1 ORDER BY id DESC LIMIT ?3 OFFSET ?2)",
            &[&user, &(MAX_ROOMS_PER_USER as i64), &i64::MAX],
        )
        .map(drop)
}

/// Remembers that a client of a user has joined a room, on a connection.
pub fn join(database: &Database, user: &str, client_id: &str, room: &Room, owner: &str) -> Result<()> {
    allow(database, user, room)?;
    let room = room.as_str();
    database.execute(
        "DELETE FROM everwire_members WHERE user_id = ?1 AND client_id = ?2 AND room = ?3",
        &[&user, &client_id, &room],
    )?;
    database.execute(
        "INSERT INTO everwire_members (user_id, client_id, room, owner) VALUES (?1, ?2, ?3, ?4)",
        &[&user, &client_id, &room, &owner],
    )?;
    database
        .execute(
            "DELETE FROM everwire_members WHERE id IN
             (SELECT id FROM everwire_members WHERE user_id = ?1 ORDER BY id DESC LIMIT ?3 OFFSET ?2)",
            &[&user, &MAX_MEMBERSHIPS_PER_USER, &i64::MAX],
        )
        .map(drop)
}

/// A user has left a room, with all of their clients.
pub fn leave(database: &Database, user: &str, room: &Room) -> Result<()> {
    let room = room.as_str();
    database.execute("DELETE FROM everwire_members WHERE user_id = ?1 AND room = ?2", &[&user, &room])?;
    database.execute("DELETE FROM everwire_joined WHERE user_id = ?1 AND room = ?2", &[&user, &room]).map(drop)
}

/// A client has left a room, and others of its user stay in it. So has whatever other client has joined on the same connection.
pub fn leave_client(database: &Database, user: &str, client_id: &str, room: &Room, owner: &str) -> Result<()> {
    database
        .execute(
            "DELETE FROM everwire_members WHERE user_id = ?1 AND room = ?3 AND (client_id = ?2 OR owner = ?4)",
            &[&user, &client_id, &room.as_str(), &owner],
        )
        .map(drop)
}

/// The clients of a user that have joined a room on the connection that they have, as far as the database knows, and the owner.
pub fn joined_by(database: &Database, user: &str, room: &Room, seen_since_ms: i64) -> Result<Vec<(String, String)>> {
    let joined = "SELECT m.client_id, m.owner FROM everwire_members m
         JOIN everwire_clients c ON c.user_id = m.user_id AND c.client_id = m.client_id AND c.owner = m.owner
         WHERE m.user_id = ?1 AND m.room = ?2 AND c.seen_at >= ?3";
    database.query(joined, &[&user, &room.as_str(), &seen_since_ms], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Ends what a client had joined before this connection, and says whether there was anything. The user may still send to it.
pub fn lapse(database: &Database, user: &str, client_id: &str, owner: &str) -> Result<bool> {
    let lapsed = database.execute(
        "DELETE FROM everwire_members WHERE user_id = ?1 AND client_id = ?2 AND owner <> ?3",
        &[&user, &client_id, &owner],
    )?;
    Ok(lapsed > 0)
}

/// Forgets what a client has joined, and says whether there was anything.
pub fn forget_client(database: &Database, user: &str, client_id: &str) -> Result<bool> {
    let forgotten =
        database.execute("DELETE FROM everwire_members WHERE user_id = ?1 AND client_id = ?2", &[&user, &client_id])?;
    Ok(forgotten > 0)
}

/// Forgets all rooms of a user.
pub fn forget_user(database: &Database, user: &str) -> Result<()> {
    database.execute("DELETE FROM everwire_members WHERE user_id = ?1", &[&user])?;
    database.execute("DELETE FROM everwire_joined WHERE user_id = ?1", &[&user]).map(drop)
}

/// Whether a user has joined a room and not left it.
pub fn has_joined(database: &Database, user: &str, room: &Room) -> Result<bool> {
    database.exists("SELECT 1 FROM everwire_joined WHERE user_id = ?1 AND room = ?2", &[&user, &room.as_str()])
}

/// The rooms whose stored events a user gets.
pub fn rooms(database: &Database, user: &str) -> Result<Vec<Room>> {
    let stored = "SELECT DISTINCT room FROM everwire_members WHERE user_id = ?1";
    database.query(stored, &[&user], |row| Ok(Room::new(&row.get::<String>(0)?)))
}

/// Those joined last count. Pages that are gone keep theirs until their client ids are forgotten.
const MAX_MEMBERSHIPS_PER_USER: i64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn database() -> Database {
        testing::database()
    }

    #[test]
    fn who_has_not_joined_again_may_send_and_gets_nothing_and_who_has_left_may_not() {
        let database = database();
        let [s1, m1] = ["session:1", "match:1"].map(Room::new);
        join(&database, "ada", "tab", &s1, "first connection").unwrap();
        assert!(!lapse(&database, "ada", "tab", "first connection").unwrap());
        assert!(lapse(&database, "ada", "tab", "second connection").unwrap());
        assert!(rooms(&database, "ada").unwrap().is_empty());
        let may_send = |user, room| has_joined(&database, user, room).unwrap();
        assert_eq!((may_send("ada", &s1), may_send("ada", &m1), may_send("ben", &s1)), (true, false, false));
        leave(&database, "ada", &s1).unwrap();
        assert!(!may_send("ada", &s1));
        join(&database, "ada", "tab", &m1, "second connection").unwrap();
        forget_user(&database, "ada").unwrap();
        assert!(!may_send("ada", &m1) && rooms(&database, "ada").unwrap().is_empty());
    }

    #[test]
    fn what_one_client_has_joined_ends_with_no_other_and_leaving_ends_it_for_all() {
        let database = database();
        let room = Room::new("session:1");
        for client_id in ["laptop", "phone", "page that is gone"] {
            join(&database, "ada", client_id, &room, client_id).unwrap();
        }
        assert!(lapse(&database, "ada", "phone", "the phone's next connection").unwrap());
        assert!(forget_client(&database, "ada", "page that is gone").unwrap());
        assert_eq!(rooms(&database, "ada").unwrap(), std::slice::from_ref(&room));
        join(&database, "ada", "phone", &room, "phone").unwrap();
        leave(&database, "ada", &room).unwrap();
        assert!(rooms(&database, "ada").unwrap().is_empty());
    }

    #[test]
    fn those_joined_last_are_remembered() {
        let database = database();
        let room = |n: usize| Room::new(&format!("session:{n}"));
        let may_send = |n| has_joined(&database, "ada", &room(n)).unwrap();
        for n in 0..MAX_ROOMS_PER_USER {
            allow(&database, "ada", &room(n)).unwrap();
        }
        allow(&database, "ada", &room(0)).unwrap();
        assert!(may_send(0) && may_send(1));
        allow(&database, "ada", &room(MAX_ROOMS_PER_USER)).unwrap();
        assert!(may_send(0) && !may_send(1) && may_send(2) && may_send(MAX_ROOMS_PER_USER));
        for n in 0..1001 {
            join(&database, "ada", "tab", &room(n), "connection").unwrap();
        }
        assert_eq!(rooms(&database, "ada").unwrap().len(), 1000);
        assert!(!rooms(&database, "ada").unwrap().contains(&room(0)));
    }
}
