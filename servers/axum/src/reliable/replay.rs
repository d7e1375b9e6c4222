//! `welcome`, and the events that a connection has missed.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use serde_json::json;

use super::{
    Hello, WINDOW,
    changes::{self, Change},
    clients,
    hello::{MAX_STREAMS, VERSION},
    ledger::{Ledger, Subscriber, Subscription},
    members, receipts,
    sequence::MAX_NUMBER,
    streams::{self, USER_STREAM, client_stream},
};
use crate::{
    clock,
    connection::Connection,
    database::{Database, Result},
    envelope,
    outgoing::Outgoing,
};

impl Ledger {
    /// Answers `hello`, begins to send what was missed, and returns `last`.
    pub fn welcome(
        &mut self,
        database: &Database,
        connection: &Arc<Connection>,
        client_id: &Arc<str>,
        hello: &Hello,
    ) -> Result<u64> {
        let user = &connection.user;
        self.outbox.settle_acks(connection);
        let before = self.owners.insert((user.clone(), client_id.clone()), connection.clone());
        if let Some(before) = before.filter(|before| before.id != connection.id) {
            self.fence(&before, client_id);
        }
        let owner = self.owner_name(connection);
        let seen = clients::own(database, user, client_id, &owner, clock::epoch_ms())?;
        if seen.owner_before.is_some_and(|before| !self.is_ours(&before)) {
            // Its connection there may still be open.
            changes::note(database, user, &Change::Moved(client_id.to_string()))?;
        }
        if seen.is_first {
            for room in self.hub.rooms_of(user) {
                members::allow(database, user, &room)?;
            }
            self.memberships_changed(database, user, &Change::Memberships)?;
        } else if seen.is_new {
            // Others may have to store what they have left out while there was one client only.
            changes::note(database, user, &Change::Memberships)?;
        }
        self.forget_surplus(database, user)?;
        let mut subscriber = self.take_subscriber(database, connection, client_id)?;
        for name in [USER_STREAM, &client_stream(client_id)] {
            if subscriber.streams.iter().all(|subscription| &*subscription.name != name) {
                let subscription = self.begin(database, user, name, hello.positions.get(name).copied())?;
                subscriber.streams.push(subscription);
            }
        }
        // The client carries no more either, and the stream of an early client id has had its time.
        if subscriber.streams.len() > MAX_STREAMS {
            subscriber.streams.remove(1);
        }
        let positions: BTreeMap<&str, u64> =
            subscriber.streams.iter().map(|subscription| (&*subscription.name, subscription.position)).collect();
        let welcome = json!({
            "version": VERSION, "epoch": self.epoch, "last": seen.last, "window": WINDOW, "streams": positions,
            "max_bytes": self.bounds.max_message_bytes.clamp(1, MAX_NUMBER),
            "remember_ms": self.bounds.client_age_ms.cast_unsigned().clamp(1, MAX_NUMBER),
        });
        self.outbox.frame(connection, envelope::event("welcome", &welcome), None);
        connection.set_said_hello();
        self.subscribers.entry(user.clone()).or_default().push(subscriber);
        self.page(database, connection)?;
        Ok(seen.last)
    }

    /// The connection as a subscriber: as it was if it has said hello before, or a new one.
    fn take_subscriber(
        &mut self,
        database: &Database,
        connection: &Arc<Connection>,
        client_id: &Arc<str>,
    ) -> Result<Subscriber> {
        let subscribers = self.subscribers.entry(connection.user.clone()).or_default();
        let (connection, since) = (connection.clone(), Instant::now());
        let index = subscribers.iter().position(|subscriber| subscriber.connection.id == connection.id);
        let Some(index) = index else {
            let client_id = client_id.clone();
            return Ok(Subscriber { connection, client_id, streams: Vec::new(), since, has_rejoined: false });
        };
        let before = subscribers.swap_remove(index);
        self.disown(database, &connection, &before.client_id)?;
        Ok(Subscriber { client_id: client_id.clone(), since, has_rejoined: false, ..before })
    }

    /// A stream from the position that its client asks for, or as near to it as can be.
    fn begin(&mut self, database: &Database, user: &str, name: &str, wanted: Option<u64>) -> Result<Subscription> {
        let stream = streams::open(database, user, name)?;
        let Some(wanted) = wanted.filter(|wanted| *wanted < stream.newest) else {
            return Ok(Subscription { name: name.into(), position: stream.newest, behind: false });
        };
        // The client's position shows what had reached it, also if the server died before it could write that down.
        self.handed.extend(receipts::waiting(database, stream, wanted)?);
        let position = wanted.max(streams::floor(database, stream)?);
        if position > wanted {
            self.metrics.gap();
        }
        Ok(Subscription { name: name.into(), position, behind: position < stream.newest })
    }

    /// Sends a connection that is behind as many stored events as it has room for.
    pub fn page(&mut self, database: &Database, connection: &Arc<Connection>) -> Result<()> {
        let Some(subscriber) = self.subscribers.get_mut(&connection.user).and_then(|subscribers| {
            subscribers.iter_mut().find(|subscriber| subscriber.connection.id == connection.id)
        }) else {
            return Ok(());
        };
        let mut more = false;
        for subscription in subscriber.streams.iter_mut().filter(|subscription| subscription.behind) {
            let stream = streams::open(database, &connection.user, &subscription.name)?;
            let (frames, bytes) = connection.page();
            let mut events = streams::page(database, stream, subscription.position, frames, bytes)?;
            let is_whole = events.first().is_some_and(|first| first.offset == subscription.position + 1);
            let floor = if is_whole { subscription.position } else { streams::floor(database, stream)? };
            if subscription.position < floor {
                self.metrics.gap();
                subscription.position = floor;
                let gap = json!({ "stream": subscription.name, "offset": floor });
                self.outbox.frame(connection, envelope::event("stream", &gap), None);
                events.retain(|event| event.offset > floor);
            }
            for event in events {
                let frame = Outgoing::text(&event.kind, event.frame);
                if !self.outbox.has_room(connection, &frame) {
                    break;
                }
                subscription.position = event.offset;
                self.outbox.frame(connection, frame, event.origin);
            }
            subscription.behind = subscription.position < stream.newest;
            more |= subscription.behind;
        }
        if more {
            self.outbox.catch_up(connection);
        }
        Ok(())
    }
}
