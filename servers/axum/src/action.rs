//! What a message does once it is known that it may.

use std::sync::Arc;

use serde_json::{Value, value::RawValue};

use crate::{
    connection::Connection,
    database::Result,
    engine::Engine,
    envelope,
    hub::Hub,
    metrics::Movement,
    outgoing::Outgoing,
    refusal::Refusal,
    reliable::{Context, Ledger, Outcome},
    room::Room,
};

/// The effects of a message. Those on memory have happened when it is made; these are the others.
pub enum Action {
    /// There are none.
    Done,
    /// A direct answer, whose data is the result of a request.
    Answer {
        /// Type of the event.
        kind: &'static str,
        /// Its payload.
        data: Box<RawValue>,
    },
    /// The user has joined a room; some rooms have an answer to that.
    Join {
        /// Which.
        room: Room,
        /// Sent to the connection.
        answer: Option<Outgoing>,
    },
    /// The user has left a room.
    Leave {
        /// Which.
        room: Room,
    },
    /// An event for everyone in a room, on every connection but the one that it comes from.
    Publish {
        /// Which.
        room: Room,
        /// Type of the event.
        kind: &'static str,
        /// Its payload.
        data: Value,
    },
    /// Anything else, done in the transaction.
    Effect(Effect),
    /// An action in a room that the user has not joined since they were away. A message with a sequence number may do it if they
    /// had joined before, and have not left.
    IfJoinedBefore {
        /// Which.
        room: Room,
        /// What is done then.
        action: Box<Self>,
        /// The answer if they have not.
        otherwise: Refusal,
    },
}

/// What is done in the transaction of a message: the result of a request, or why it is refused. An error is one of the database.
pub type Effect = Box<dyn FnOnce(&mut Context<'_>) -> Result<Outcome> + Send>;

impl Action {
    /// Something to be done in the transaction.
    pub fn effect(effect: impl FnOnce(&mut Context<'_>) -> Result<Outcome> + Send + 'static) -> Self {
        Self::Effect(Box::new(effect))
    }

    /// The same for a member of its room; for others, what becomes of it depends on their earlier joins.
    #[must_use]
    pub fn of_member(self, hub: &Hub, from: &Connection, room: &Room, otherwise: Refusal) -> Self {
        if hub.is_member(&from.user, room) {
            self
        } else {
            Self::IfJoinedBefore { room: room.clone(), action: Box::new(self), otherwise }
        }
    }

    /// Whether it is a join or a leave, and of which room.
    pub(crate) fn movement(&self) -> Option<Movement> {
        match self {
            Self::Join { room, .. } => Some(Movement::Joined(room.clone())),
            Self::Leave { room } => Some(Movement::Left(room.clone())),
            Self::IfJoinedBefore { action, .. } => action.movement(),
            Self::Done | Self::Answer { .. } | Self::Publish { .. } | Self::Effect(_) => None,
        }
    }

    /// Carries it out for a message without a sequence number, and returns the direct answer, if there is one.
    ///
    /// The database is asked only where something is stored, or where someone has a stream.
    pub(crate) async fn carry_out(
        self,
        engine: &Engine,
        from: &Arc<Connection>,
    ) -> std::result::Result<Option<Outgoing>, Refusal> {
        match self {
            Self::Done => Ok(None),
            Self::Answer { kind, data } => Ok(Some(envelope::event(kind, &data))),
            Self::Join { room, answer } => {
                if engine.hub.is_streamed(&from.user) {
                    engine.on_disk(from, Self::Join { room, answer: None }).await?;
                }
                Ok(answer)
            }
            Self::Leave { .. } if !engine.hub.is_streamed(&from.user) => Ok(None),
            Self::Publish { room, kind, data } if !engine.hub.has_streamed(&room) => {
                engine.hub.tell_room(&room, Some(from.id), kind, &envelope::event(kind, &data));
                Ok(None)
            }
            Self::IfJoinedBefore { otherwise, .. } => Err(otherwise),
            Self::Publish { .. } => {
                // Nobody waits for it: it cannot be refused, and the next message goes behind it.
                let from = from.clone();
                let publish =
                    move |database: &_, ledger: &mut Ledger| ledger.perform_alone(database, &from, self).map(drop);
                engine.store.post(publish).await?;
                Ok(None)
            }
            Self::Leave { .. } | Self::Effect(_) => engine.on_disk(from, self).await,
        }
    }
}
