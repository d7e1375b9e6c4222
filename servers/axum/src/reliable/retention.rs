//! Forgetting.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;

use super::{
    changes::{self, Change},
    clients,
    ledger::Ledger,
    members, receipts,
    streams::{self, USER_STREAM, client_stream},
};
use crate::{
    clock,
    database::{Database, Result},
};

impl Ledger {
    /// Notes that the clients are here that are.
    pub fn note_presence(&mut self, database: &Database) -> Result<()> {
        let now = clock::epoch_ms();
        for ((user, client_id), connection) in &self.owners {
            clients::still_here(database, user, client_id, &self.owner_name(connection), now)?;
        }
        Ok(())
    }

    /// Forgets some of what is old: events, messages that no receipt comes for, and clients that nobody has seen. Says whether there
    /// is more; other transactions go in between.
    pub fn forget_old(&mut self, database: &Database) -> Result<bool> {
        let now = clock::epoch_ms();
        let event_age = now.saturating_sub(self.bounds.event_age_ms);
        let events = streams::forget_older(database, event_age, BATCH)?;
        let sent = receipts::forget(database, event_age, BATCH)?;
        changes::forget(database, now.saturating_sub(CHANGES_AGE_MS))?;
        let client_age = self.bounds.client_age_ms.saturating_add(presence_slack_ms(self.bounds.client_age_ms));
        let unseen = clients::unseen_since(database, now.saturating_sub(client_age), BATCH)?;
        for (user, client_id) in &unseen {
            self.forget_client(database, &Arc::from(user.as_str()), client_id)?;
        }
        Ok([events, sent, unseen.len()].contains(&(BATCH as usize)))
    }

    /// Forgets a client, and with a user's last one their events.
    fn forget_client(&mut self, database: &Database, user: &Arc<str>, client_id: &str) -> Result<()> {
        streams::remove(database, user, &client_stream(client_id))?;
        clients::forget(database, user, client_id)?;
        let was_member = members::forget_client(database, user, client_id)?;
        if !clients::exist(database, user)? {
            streams::remove(database, user, USER_STREAM)?;
            members::forget_user(database, user)?;
        } else if !was_member {
            return Ok(());
        }
        self.memberships_changed(database, user, &Change::Memberships)
    }

    /// Forgets the streams of a user's client ids that are too many. How far their messages are processed is remembered: a message
    /// that comes again must not be processed again.
    pub(super) fn forget_surplus(&mut self, database: &Database, user: &Arc<str>) -> Result<()> {
        for client_id in streams::surplus(database, user, MAX_STREAMS_PER_USER)? {
            // One that is here may still be waiting for replies.
            if !self.owners.contains_key(&(user.clone(), Arc::from(client_id.as_str()))) {
                streams::remove(database, user, &client_stream(&client_id))?;
                clients::forget_unused(database, user, &client_id)?;
                // Others may know the stream.
                changes::note(database, user, &Change::Memberships)?;
            }
        }
        Ok(())
    }

    /// Ends the events of rooms that clients who have been back for a while have not joined again.
    pub fn end_lapsed_memberships(&mut self, database: &Database, back_for: Duration) -> Result<()> {
        let mut back = Vec::new();
        for subscriber in self.subscribers.values_mut().flatten() {
            if !subscriber.has_rejoined && subscriber.since.elapsed() >= back_for {
                subscriber.has_rejoined = true;
                back.push((subscriber.connection.clone(), subscriber.client_id.clone()));
            }
        }
        for (connection, client_id) in back {
            let owner = self.owner_name(&connection);
            if members::lapse(database, &connection.user, &client_id, &owner)? {
                self.memberships_changed(database, &connection.user, &Change::Memberships)?;
            }
        }
        Ok(())
    }
}

/// What to forget of a stream on command.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgettable {
    /// The events up to an offset.
    Upto(u64),
    /// So many of the oldest.
    Events(u32),
}

/// Forgets events of a user's stream, and says how many and up to which offset.
pub fn forget_events(database: &Database, user: &str, name: &str, what: Forgettable) -> Result<(usize, u64)> {
    let stream = streams::open(database, user, name)?;
    let upto = match what {
        Forgettable::Upto(upto) => upto,
        Forgettable::Events(events) => streams::oldest(database, stream, events)?,
    };
    Ok((streams::forget(database, stream, upto)?, upto))
}

impl Ledger {
    /// Clients of processes that live have been seen since.
    pub(super) fn clients_seen_since(&self) -> i64 {
        clock::epoch_ms().saturating_sub(presence_slack_ms(self.bounds.client_age_ms))
    }
}

/// A process that dies has not noted for this long that its clients are here.
fn presence_slack_ms(client_age_ms: i64) -> i64 {
    (client_age_ms / 5).min(20 * 60 * 1000)
}

/// By when a client that has come back has joined the rooms that it wants to be in.
pub const REJOINING_TIME: Duration = Duration::from_secs(60);

/// Each page may have a client id of its own.
const MAX_STREAMS_PER_USER: i64 = 1000;

/// Rows forgotten in one transaction, so that nobody waits long for it.
const BATCH: u32 = 2000;

/// Every process has looked by then.
const CHANGES_AGE_MS: i64 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::Connection, dispatch, ending::Ending, engine::Engine, intake::Intake, room::Room, testing,
        token::Ticket,
    };

    struct Client {
        connection: Arc<Connection>,
        intake: Intake,
    }

    impl Client {
        async fn hello(app: &Engine, client_id: &str) -> Self {
            let (connection, _) = app.connect(&Ticket::of("ada"), None).ok().unwrap();
            let mut client = Self { connection, intake: Intake::default() };
            let hello = format!(r#"{{"type":"hello","data":{{"versions":[1],"client_id":"{client_id}"}}}}"#);
            client.say(app, &hello).await;
            client
        }

        async fn say(&mut self, app: &Engine, text: &str) {
            let _ = dispatch::text(app, &self.connection, &mut self.intake, text).await;
        }

        async fn leave(self, app: &Engine) {
            app.disconnect(&self.connection, &Ending::Gone);
            while app.hub.is_online("ada") {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn end_lapsed(app: &Engine) {
        let store = &app.store;
        let end = |database: &_, ledger: &mut Ledger| ledger.end_lapsed_memberships(database, Duration::ZERO);
        store.run_with_ledger(end).await.unwrap();
    }

    fn is_member(app: &Engine, room: &Room) -> bool {
        !app.hub.audience(room, None).streamed.is_empty()
    }

    #[tokio::test]
    async fn a_phone_that_comes_online_without_joining_ends_nothing_that_the_laptop_has_joined() {
        let app = &testing::engine().await;
        let [kept, lost] = ["session:kept", "session:lost"].map(Room::new);
        let join = |id| format!(r#"{{"type":"join_session","data":{{"session_id":"{id}"}}}}"#);
        let mut laptop = Client::hello(app, LAPTOP).await;
        laptop.say(app, &join("kept")).await;
        laptop.say(app, &join("lost")).await;
        end_lapsed(app).await;
        laptop.leave(app).await;

        let phone = Client::hello(app, "the-phone-of-the-user").await;
        end_lapsed(app).await;
        assert!(is_member(app, &kept) && is_member(app, &lost));
        phone.leave(app).await;

        // The laptop itself has the time to join again what it wants to be in.
        let mut laptop = Client::hello(app, LAPTOP).await;
        laptop.say(app, &join("kept")).await;
        assert!(is_member(app, &kept) && is_member(app, &lost));
        end_lapsed(app).await;
        assert!(is_member(app, &kept) && !is_member(app, &lost));
        laptop.leave(app).await;
        assert!(is_member(app, &kept));
        // A device that is away keeps nobody in.
        let mut phone = Client::hello(app, "the-phone-of-the-user").await;
        phone.say(app, r#"{"type":"leave_session","data":{"session_id":"kept"}}"#).await;
        assert!(!is_member(app, &kept));
    }

    const LAPTOP: &str = "the-laptop-of-the-user";
}
