//! What a message does, all of it or nothing.

use std::sync::Arc;

use super::{
    context::Context,
    ledger::Ledger,
    outbox::Mark,
    work::{Outcome, Source},
};
use crate::{
    action::Action,
    connection::Connection,
    database::{Database, DatabaseError, Result},
    panics,
    refusal::{self, Refusal},
};

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

/// Why nothing has happened.
enum Undone {
    Refused(Refusal),
    Failed(DatabaseError),
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
    ) -> Result<Outcome> {
        let is_it = |(user, client_id, seq): &(Arc<str>, Arc<str>, u64)| {
            *user == from.user && *client_id == source.client_id && *seq == source.sequence.seq
        };
        if let Some(index) = self.ruinous.iter().position(is_it) {
            self.ruinous.remove(index);
            tracing::error!(error = %DatabaseError::RolledBack, "a message cannot be processed");
            return Ok(Err(refusal::internal()));
        }
        let outcome = self.perform_undoably(database, from, Some(source), action);
        if matches!(outcome, Err(DatabaseError::RolledBack)) {
            self.ruinous.truncate(MAX_RUINOUS - 1);
            self.ruinous.insert(0, (from.user.clone(), source.client_id.clone(), source.sequence.seq));
        }
        outcome
    }

    /// The same for a message without a number.
    pub fn perform_alone(&mut self, database: &Database, from: &Arc<Connection>, action: Action) -> Result<Outcome> {
        self.perform_undoably(database, from, None, action)
    }

    fn perform_undoably(
        &mut self,
        database: &Database,
        from: &Arc<Connection>,
        source: Option<&Source>,
        action: Action,
    ) -> Result<Outcome> {
        if matches!(action, Action::Done | Action::Answer { .. }) {
            return self.perform(database, from, source, action);
        }
        let outcome = self.undoable(database, |ledger| ledger.perform(database, from, source, action))?;
        if outcome.is_err() {
            // Of a join or a leave that was prepared in the hub, nothing is in the database.
            self.read_memberships(database, &from.user)?;
        }
        Ok(outcome)
    }

    fn undoable(&mut self, database: &Database, effects: impl FnOnce(&mut Self) -> Result<Outcome>) -> Result<Outcome> {
        let outcome = self.all_or_nothing(database, |ledger| Ok(effects(ledger)?.map_err(Undone::Refused)))?;
        Ok(outcome.map_err(|undone| match undone {
            Undone::Refused(refusal) => refusal,
            Undone::Failed(error) => {
                tracing::error!(%error, "a message cannot be processed");
                refusal::internal()
            }
        }))
    }

    /// Carries out a job of the application's own. If it fails or panics, nothing of it has happened, and what others have in the same
    /// transaction stays.
    pub fn job<T>(&mut self, database: &Database, job: impl FnOnce(&mut Context<'_>) -> Result<T>) -> Result<T> {
        let result = self.all_or_nothing(database, |ledger| match job(&mut Context::new(database, ledger)) {
            // The words of the application for a transaction of its own.
            Err(DatabaseError::Failed(why)) => Err(DatabaseError::Application(why)),
            result => result.map(Ok),
        })?;
        result.map_err(|undone| match undone {
            Undone::Failed(error) => error,
            Undone::Refused(_) => DatabaseError::Application("refused"),
        })
    }

    /// An error is one of the storage itself.
    fn all_or_nothing<T>(
        &mut self,
        database: &Database,
        effects: impl FnOnce(&mut Self) -> Result<std::result::Result<T, Undone>>,
    ) -> Result<std::result::Result<T, Undone>> {
        database.savepoint()?;
        self.advances = Some(Vec::new());
        let (mark, moved) = (self.outbox.mark(), self.moves.len());
        let result = panics::caught(|| effects(self));
        let advances = self.advances.take();
        database.check_transaction()?;
        let mut outcome = match result {
            Some(Err(error)) if error.is_of_storage() => return Err(error),
            Some(Err(error)) => Err(Undone::Failed(error)),
            Some(Ok(outcome)) => outcome,
            None => {
                Err(Undone::Failed(DatabaseError::Application("what the application does in a transaction panicked")))
            }
        };
        if outcome.is_ok() && !database.release_savepoint()? {
            let unheeded =
                "a statement of the application's has failed, and it went on, or a deferred constraint is violated";
            outcome = Err(Undone::Failed(DatabaseError::Application(unheeded)));
        }
        if outcome.is_err() {
            database.roll_back_to_savepoint()?;
            self.undo(mark, advances.unwrap_or_default());
            for user in self.moves.undo(moved) {
                // Which rooms' events are stored for them is what it was before.
                self.read_memberships(database, &user)?;
            }
        }
        Ok(outcome)
    }

    /// What memory has of effects that are no longer in the database.
    fn undo(&mut self, mark: Mark, advances: Vec<Advance>) {
        self.outbox.undo(mark);
        for advance in advances.into_iter().rev() {
            let subscribers = self.subscribers.get_mut(&advance.user).into_iter().flatten();
            let of_connection = subscribers.filter(|subscriber| subscriber.connection.id == advance.connection);
            for subscription in of_connection.flat_map(|subscriber| &mut subscriber.streams) {
                if subscription.name == advance.stream {
                    (subscription.position, subscription.behind) = (advance.position, advance.behind);
                }
            }
        }
    }
}

/// How many messages are remembered; one that is forgotten ends another transaction.
const MAX_RUINOUS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reliable::Event, testing, token::Ticket};

    #[tokio::test]
    async fn effects_that_fail_halfway_leave_no_event_and_no_hole() {
        let app = &testing::engine().await;
        let (ada, mut inbox) = app.connect(&Ticket::of("ada"), None).ok().unwrap();
        let hello = r#"{"type":"hello","data":{"versions":[1],"client_id":"k3Zq8vXw2LmN4pRt"}}"#;
        crate::dispatch::text(app, &ada, &mut crate::intake::Intake::default(), hello).await.unwrap();
        let store = &app.store;
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
                    let twice = "INSERT INTO everwire_memory (only_row, version, epoch) VALUES (1, 1, 1)";
                    Err(database.execute(twice, &[]).unwrap_err())
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
