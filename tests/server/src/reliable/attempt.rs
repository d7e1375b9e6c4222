//! What a message does, all of it or nothing.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use rusqlite::{Connection as Database, ErrorCode};

use super::{
    ledger::Ledger,
    outbox::Mark,
    work::{Outcome, Source},
};
use crate::{action::Action, connection::Connection, reply};

/// How far a connection had a stream.
pub struct Advance {
    user: Arc<str>,
    connection: u64,
    stream: Box<str>,
    position: u64,
    behind: bool,
}

impl Advance {
    pub fn from(connection: &Connection, stream: &str, position: u64, behind: bool) -> Self {
        Self { user: connection.user.clone(), connection: connection.id, stream: stream.into(), position, behind }
    }
}

impl Ledger {
    /// Carries out what a message does. If that panics, or the database does not take its content, nothing of it has happened, and
    /// the message is refused: it would fail the next time as well. An error is one of the storage itself.
    pub fn attempt(
        &mut self,
        database: &Database,
        from: &Arc<Connection>,
        source: &Source,
        action: Action,
    ) -> rusqlite::Result<Outcome> {
        let outcome = self.undoable(database, |ledger| ledger.perform(database, from, Some(source), action))?;
        if outcome.as_ref().is_err_and(|refusal| refusal.code == reply::internal().code) {
            // What it has joined or left is in the hub, and no longer in the database.
            self.read_memberships(database, &from.user)?;
        }
        Ok(outcome)
    }

    fn undoable(
        &mut self,
        database: &Database,
        effects: impl FnOnce(&mut Self) -> rusqlite::Result<Outcome>,
    ) -> rusqlite::Result<Outcome> {
        database.prepare_cached("SAVEPOINT effects")?.execute([])?;
        self.advances = Some(Vec::new());
        let mark = self.outbox.mark();
        let result = catch_unwind(AssertUnwindSafe(|| effects(self)));
        let advances = self.advances.take();
        let outcome = match result {
            Ok(Err(error)) if is_of_storage(&error) => return Err(error),
            Ok(Err(error)) => {
                tracing::error!(%error, "the content of a message cannot be stored");
                Err(())
            }
            Ok(Ok(outcome)) => Ok(outcome),
            Err(_) => {
                tracing::error!("processing a message panicked");
                Err(())
            }
        };
        if outcome.is_err() {
            database.prepare_cached("ROLLBACK TO effects")?.execute([])?;
            self.undo(mark, advances.unwrap_or_default());
        }
        database.prepare_cached("RELEASE effects")?.execute([])?;
        Ok(outcome.unwrap_or_else(|()| Err(reply::internal())))
    }

    /// What memory has of effects that are no longer in the database.
    fn undo(&mut self, mark: Mark, advances: Vec<Advance>) {
        self.outbox.undo(mark);
        for advance in advances.into_iter().rev() {
            let carriers = self.carriers.get_mut(&advance.user).into_iter().flatten();
            let of_connection = carriers.filter(|carrier| carrier.connection.id == advance.connection);
            for carried in of_connection.flat_map(|carrier| &mut carrier.streams) {
                if carried.name == advance.stream {
                    (carried.position, carried.behind) = (advance.position, advance.behind);
                }
            }
        }
    }
}

/// Whether the database could not do its work. Everything else is about what it was asked to do.
fn is_of_storage(error: &rusqlite::Error) -> bool {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, FileLockingProtocolFailed,
        InternalMalfunction, NoLargeFileSupport, NotADatabase, OperationAborted, OperationInterrupted, OutOfMemory,
        PermissionDenied, ReadOnly, SchemaChanged, SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseCorrupt
                | DatabaseLocked
                | DiskFull
                | FileLockingProtocolFailed
                | InternalMalfunction
                | NoLargeFileSupport
                | NotADatabase
                | OperationAborted
                | OperationInterrupted
                | OutOfMemory
                | PermissionDenied
                | ReadOnly
                | SchemaChanged
                | SystemIoFailure
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{options::Options, reliable::Event, server::Server, token::Ticket};

    fn failed(kind: &str, code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(kind.to_owned()))
    }

    #[test]
    fn only_what_the_database_cannot_do_is_a_failure_of_the_storage() {
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR, rusqlite::ffi::SQLITE_BUSY] {
            assert!(is_of_storage(&failed("storage", code)), "{code}");
        }
        for code in [rusqlite::ffi::SQLITE_CONSTRAINT, rusqlite::ffi::SQLITE_TOOBIG, rusqlite::ffi::SQLITE_MISMATCH] {
            assert!(!is_of_storage(&failed("content", code)), "{code}");
        }
        assert!(!is_of_storage(&rusqlite::Error::QueryReturnedNoRows));
    }

    #[tokio::test]
    async fn effects_that_fail_halfway_leave_no_event_and_no_hole() {
        let server = Server::start(Options::from_flags(["--dev", "--port", "0"]).unwrap()).await.unwrap();
        let app = server.app();
        let (ada, mut inbox) = app.connect(&Ticket::of("ada"), None).ok().unwrap();
        let hello = r#"{"type":"hello","data":{"versions":[1],"client_id":"k3Zq8vXw2LmN4pRt"}}"#;
        crate::dispatch::text(app, &ada, &mut crate::intake::Intake::default(), hello).await.unwrap();
        let store = app.matches.store();
        let append = |ledger: &mut Ledger, database: &Database, n: u8| {
            ledger.append(database, "ada", "user", &Event::new("notification", &serde_json::json!({ "n": n })), None)
        };
        let outcomes = store
            .run_with_ledger(move |database, ledger| {
                let panics = ledger.undoable(database, |ledger| {
                    append(ledger, database, 1)?;
                    panic!("a bug, on purpose")
                })?;
                let refused = ledger.undoable(database, |ledger| {
                    append(ledger, database, 2)?;
                    Err(failed("content", rusqlite::ffi::SQLITE_CONSTRAINT))
                })?;
                append(ledger, database, 3)?;
                Ok([panics, refused])
            })
            .await
            .unwrap();
        assert_eq!(outcomes.map(|outcome| outcome.unwrap_err().code), ["internal", "internal"]);
        let mut events = Vec::new();
        while let Ok(queued) = inbox.queue.try_recv() {
            events.push(serde_json::from_str::<serde_json::Value>(queued.frame.to_text().unwrap()).unwrap());
        }
        let [welcome, event] = &events[events.len() - 2..] else { panic!("{events:?}") };
        assert_eq!((&welcome["type"], &event["data"]["n"]), (&"welcome".into(), &3.into()));
        let position = welcome["data"]["streams"]["user"].as_u64().unwrap();
        assert_eq!(event["offset"], position + 1);
    }
}
