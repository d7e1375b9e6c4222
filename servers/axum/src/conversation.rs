//! A connection without a socket, for tests of servers: what a client sends is handed in as text, and what it would get is read.

use std::sync::Arc;

use crate::{
    connection::{Connection, Inbox},
    dispatch,
    ending::Ending,
    engine::Engine,
    intake::Intake,
    outgoing::Outgoing,
    sender::Sender,
    token::Ticket,
};

/// Ends when it is dropped.
pub struct Conversation {
    engine: Arc<Engine>,
    connection: Arc<Connection>,
    inbox: Inbox,
    intake: Intake,
}

impl Engine {
    /// Opens a connection without a socket; `None` if there are too many.
    #[doc(hidden)]
    pub fn converse(self: &Arc<Self>, ticket: &Ticket) -> Option<Conversation> {
        let (connection, inbox) = self.connect(ticket, None).ok()?;
        Some(Conversation { engine: self.clone(), connection, inbox, intake: Intake::default() })
    }
}

impl Conversation {
    /// Handles a frame, and returns the direct answer to it or why the connection has to end.
    ///
    /// # Errors
    /// The connection has to end.
    pub async fn text(&mut self, text: &str) -> Result<Option<Outgoing>, Ending> {
        dispatch::text(&self.engine, &self.connection, &mut self.intake, text).await
    }

    /// The next frame that waits for the client.
    pub fn next_frame(&mut self) -> Option<Outgoing> {
        let queued = self.inbox.queue.try_recv().ok()?;
        self.connection.dequeued(&queued);
        Some(queued)
    }

    /// The number of the last message that was handed on to be processed.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.intake.sender.as_ref().map_or(0, Sender::last)
    }

    /// Whether the server has ended the connection.
    pub fn has_ended(&mut self) -> bool {
        self.inbox.ending.try_recv().is_ok()
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.engine.disconnect(&self.connection, &Ending::Gone);
    }
}
