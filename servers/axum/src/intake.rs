//! What a connection's task knows of the messages that come in on it.

use std::{future::pending, pin::Pin, sync::Arc};

use crate::{connection::Connection, ending::Ending, engine::Engine, sender::Sender};

/// Done when what waits may go on.
pub type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What waits on a connection before more is read.
#[derive(Default)]
pub struct Intake {
    /// The sender of numbered messages, once it has said hello.
    pub sender: Option<Sender>,
    /// A ping over the limit was read, and is answered at this turn.
    pub late_pong: Option<Turn>,
}

impl Intake {
    /// Whether the next frame may be read.
    pub fn may_read(&self) -> bool {
        self.late_pong.is_none() && self.sender.as_ref().is_none_or(Sender::may_read)
    }

    /// Whether numbered messages wait.
    pub fn holds_messages(&self) -> bool {
        self.sender.as_ref().is_some_and(Sender::is_held_up)
    }

    /// Waits until the first message that is held may go on, if there is one.
    pub async fn message_turn(sender: Option<&mut Sender>) {
        match sender.and_then(Sender::turn) {
            Some(turn) => turn.await,
            None => pending().await,
        }
    }

    /// Waits until the late pong is due, if there is one.
    pub async fn pong_turn(late_pong: Option<&mut Turn>) {
        match late_pong {
            Some(turn) => turn.await,
            None => pending().await,
        }
    }

    /// Processes the message whose turn it is.
    pub async fn go_on(&mut self, engine: &Engine, from: &Arc<Connection>) -> Result<(), Ending> {
        match &mut self.sender {
            Some(sender) => sender.go_on(engine, from).await,
            None => Ok(()),
        }
    }
}
