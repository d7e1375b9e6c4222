//! What a message does once it is known that it may.

use std::sync::Arc;

use serde_json::{Value, value::RawValue};

use crate::{
    app::App,
    connection::Connection,
    envelope,
    hub::Room,
    messages::{self, Draft, Inserted, Read},
    outgoing::Outgoing,
    reliable::Ledger,
    reply::Refusal,
    trail::Movement,
};

/// The effects of a message. Those on memory have happened when it is made; these are the others.
pub enum Action {
    /// There are none.
    Done,
    /// A direct answer, whose data is the result of a request.
    Answer { kind: &'static str, data: Box<RawValue> },
    /// The user has joined a room; some rooms have an answer to that.
    Join { room: Room, answer: Option<Outgoing> },
    /// The user has left a room.
    Leave { room: Room },
    /// An event for everyone in a room, on every connection but the one that it comes from.
    Publish { room: Room, kind: &'static str, data: Value },
    /// A message of a match, to be stored and announced.
    Send { room: Room, draft: Draft },
    /// A read receipt of a match, to be stored and announced.
    Read { room: Room, match_id: String, message_id: i64 },
    /// An action in a room that the user has not joined since they were away. A message with a sequence number may do it if they
    /// had joined before, and have not left.
    IfJoinedBefore { room: Room, action: Box<Self>, otherwise: Refusal },
}

impl Action {
    /// The same for a member of its room; for others, what becomes of it depends on their earlier joins.
    pub fn of_member(self, app: &App, from: &Connection, room: &Room, otherwise: Refusal) -> Self {
        if app.hub.is_member(&from.user, room) {
            self
        } else {
            Self::IfJoinedBefore { room: room.clone(), action: Box::new(self), otherwise }
        }
    }

    /// Whether it is a join or a leave, and of which room.
    pub fn movement(&self) -> Option<Movement> {
        match self {
            Self::Join { room, .. } => Some(Movement::Joined(room.clone())),
            Self::Leave { room } => Some(Movement::Left(room.clone())),
            Self::IfJoinedBefore { action, .. } => action.movement(),
            Self::Done | Self::Answer { .. } | Self::Publish { .. } | Self::Send { .. } | Self::Read { .. } => None,
        }
    }

    /// Carries it out for a message without a sequence number, and returns the direct answer, if there is one.
    ///
    /// The database is asked only where something is stored, or where someone has a stream.
    pub async fn carry_out(self, app: &App, from: &Arc<Connection>) -> Result<Option<Outgoing>, Refusal> {
        match self {
            Self::Done => Ok(None),
            Self::Answer { kind, data } => Ok(Some(envelope::event(kind, &data))),
            Self::Join { room, answer } => {
                if app.hub.is_streamed(&from.user) {
                    app.on_disk(from, Self::Join { room, answer: None }).await?;
                }
                Ok(answer)
            }
            Self::Leave { room } if app.hub.is_streamed(&from.user) => app.on_disk(from, Self::Leave { room }).await,
            Self::Leave { .. } => Ok(None),
            Self::Publish { room, kind, data } if !app.hub.has_streamed(&room) => {
                app.hub.to_room(&room, Some(from.id), &envelope::event(kind, &data));
                Ok(None)
            }
            Self::Send { room, draft } if !app.hub.has_streamed(&room) => send(app, &room, draft).await,
            Self::Read { room, match_id, message_id } if !app.hub.has_streamed(&room) => {
                read(app, from, &room, match_id, message_id).await
            }
            Self::IfJoinedBefore { otherwise, .. } => Err(otherwise),
            Self::Publish { .. } => {
                // Nobody waits for it: it cannot be refused, and the next message goes behind it.
                let from = from.clone();
                let publish =
                    move |database: &_, ledger: &mut Ledger| ledger.perform(database, &from, None, self).map(drop);
                app.matches.store().post(publish).await?;
                Ok(None)
            }
            stored => app.on_disk(from, stored).await,
        }
    }
}

async fn send(app: &App, room: &Room, draft: Draft) -> Result<Option<Outgoing>, Refusal> {
    let inserted = app.matches.store().run(|database| messages::insert(database, draft)).await?;
    match inserted {
        Inserted::New(message) => {
            app.hub.to_room(room, None, &envelope::event("new_message", &message));
            Ok(None)
        }
        // The others have it already; the sender is asking because the first answer was lost.
        Inserted::Again(message) => Ok(Some(envelope::event("new_message", &message))),
        Inserted::NotActive => Err(messages::not_active()),
    }
}

async fn read(
    app: &App,
    from: &Connection,
    room: &Room,
    match_id: String,
    message_id: i64,
) -> Result<Option<Outgoing>, Refusal> {
    let reader = from.user.clone();
    let stored_match = match_id.clone();
    let store = app.matches.store();
    match store.run(move |database| messages::read(database, &stored_match, &reader, message_id)).await? {
        Read::Now(read_at) => {
            let data = messages::read_event(&match_id, message_id, &read_at);
            app.hub.to_room(room, None, &envelope::event("message_read", &data));
            Ok(None)
        }
        Read::Already => Ok(None),
        Read::NoSuchMessage => Err(messages::no_such_message()),
    }
}
