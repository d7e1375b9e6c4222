//! One socket as the rest of the server sees it: a bounded queue, and a way to end it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

use crate::sync::Lock as _;

/// How the server ends a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A closing handshake that starts with this close frame.
    Close {
        /// Close code.
        code: u16,
        /// At most 123 bytes.
        reason: String,
    },
    /// The TCP connection goes away without a word. A browser reports 1006.
    Abort,
    /// The peer is gone, or has closed.
    Gone,
}

impl Ending {
    pub fn close(code: u16, reason: impl Into<String>) -> Self {
        Self::Close { code, reason: reason.into() }
    }
}

/// The shared half of a connection. The other half, [`Inbox`], belongs to the task that drives the socket.
pub struct Connection {
    pub id: u64,
    pub user: Arc<str>,
    queue: mpsc::Sender<Message>,
    ending: Mutex<Option<oneshot::Sender<Ending>>>,
    silent: AtomicBool,
}

/// What the socket's task receives.
pub struct Inbox {
    pub queue: mpsc::Receiver<Message>,
    pub ending: oneshot::Receiver<Ending>,
}

impl Connection {
    pub fn new(id: u64, user: Arc<str>, queue_len: usize, silent: bool) -> (Arc<Self>, Inbox) {
        let (queue_in, queue) = mpsc::channel(queue_len);
        let (ending_in, ending) = oneshot::channel();
        let connection =
            Self { id, user, queue: queue_in, ending: Mutex::new(Some(ending_in)), silent: AtomicBool::new(silent) };
        (Arc::new(connection), Inbox { queue, ending })
    }

    /// Queues a frame. A connection whose queue is full is ended: waiting would delay everyone else, and dropping
    /// single frames would let the client believe that it has seen everything.
    pub fn deliver(&self, message: &Message) -> bool {
        if self.is_silent() {
            return false;
        }
        match self.queue.try_send(message.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.end(Ending::close(1013, "too slow: the queue is full"));
                false
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// Ends the connection. Only the first call counts.
    pub fn end(&self, ending: Ending) -> bool {
        let sender = self.ending.locked().take();
        sender.is_some_and(|sender| sender.send(ending).is_ok())
    }

    /// A silent connection accepts frames and answers nothing, like a peer behind a dead link.
    pub fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    pub fn set_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }
}
