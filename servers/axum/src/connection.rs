//! One socket as the rest of the server sees it: a bounded queue, and a way to end it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

use crate::{clock::monotonic_ms, ending::Ending, envelope, outgoing::Outgoing, reliable::WINDOW, token::Ticket};

/// How much may wait for one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    pub frames: usize,
    pub bytes: usize,
}

/// The shared half of a connection. The other half belongs to the task that drives the socket.
pub struct Connection {
    /// A number that no other connection of this process has.
    pub id: u64,
    /// Whose it is.
    pub user: Arc<str>,
    queue: mpsc::Sender<Outgoing>,
    queued_bytes: AtomicUsize,
    max_queued_bytes: usize,
    ending: Mutex<Option<oneshot::Sender<Ending>>>,
    silent: AtomicBool,
    heard_at_ms: AtomicU64,
    /// 0 while nothing is being written.
    writing_since_ms: AtomicU64,
    /// Whether the database was asked for a welcome, which may come when the connection has gone.
    asked_hello: AtomicBool,
    said_hello: AtomicBool,
    expires_at_ms: i64,
    /// The last acknowledgement, from `welcome` on.
    acked: Mutex<Option<u64>>,
    acked_at_ms: AtomicU64,
    /// Whether messages wait, or are not even read.
    held_back: AtomicBool,
    /// A permit for each message that may be taken before others are processed.
    pub(crate) window: Semaphore,
    /// Told when the connection shall ask for a page of history.
    pub(crate) lagging: Notify,
}

/// What the socket's task receives.
pub(crate) struct Inbox {
    pub queue: mpsc::Receiver<Outgoing>,
    pub ending: oneshot::Receiver<Ending>,
}

impl Connection {
    pub(crate) fn new(id: u64, ticket: &Ticket, limits: QueueLimits) -> (Arc<Self>, Inbox) {
        let (queue_in, queue) = mpsc::channel(limits.frames.max(1));
        let (ending_in, ending) = oneshot::channel();
        let connection = Self {
            id,
            user: ticket.user.clone(),
            queue: queue_in,
            queued_bytes: AtomicUsize::new(0),
            max_queued_bytes: limits.bytes,
            ending: Mutex::new(Some(ending_in)),
            silent: AtomicBool::new(false),
            heard_at_ms: AtomicU64::new(monotonic_ms()),
            writing_since_ms: AtomicU64::new(0),
            asked_hello: AtomicBool::new(false),
            said_hello: AtomicBool::new(false),
            expires_at_ms: ticket.expires_at_ms,
            acked: Mutex::new(None),
            acked_at_ms: AtomicU64::new(0),
            held_back: AtomicBool::new(false),
            window: Semaphore::new(WINDOW),
            lagging: Notify::new(),
        };
        (Arc::new(connection), Inbox { queue, ending })
    }

    /// Queues a frame. A connection whose queue is full is ended: waiting would delay everyone else, and dropping
    /// single frames would let the client believe that it has seen everything.
    pub fn deliver(&self, outgoing: &Outgoing) -> bool {
        if self.is_silent() {
            return false;
        }
        self.queue_within(self.max_queued_bytes, outgoing)
    }

    /// Queues a frame if no more bytes than these are queued with it. A single frame beyond that still goes to a client that keeps up.
    fn queue_within(&self, bytes: usize, outgoing: &Outgoing) -> bool {
        let len = outgoing.len();
        let queued = self.queued_bytes.fetch_add(len, Relaxed) + len;
        let fits = queued <= bytes || queued == len;
        if fits && self.queue.try_send(outgoing.clone()).is_ok() {
            return true;
        }
        self.queued_bytes.fetch_sub(len, Relaxed);
        if !self.queue.is_closed() {
            self.end(Ending::close(1013, "too slow: the queue is full"));
        }
        false
    }

    /// A frame has left the queue.
    pub(crate) fn dequeued(&self, outgoing: &Outgoing) {
        self.queued_bytes.fetch_sub(outgoing.len(), Relaxed);
    }

    /// Frames in the queue.
    pub fn queue_len(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Whether a stored event of this length may be queued behind so many frames and bytes. A part of the queue is left
    /// for what cannot be had again. An event that is too long for that goes alone.
    pub(crate) fn has_room(&self, frames: usize, bytes: usize, len: usize) -> bool {
        let frames = self.queue_len() + frames;
        let bytes = self.queued_bytes.load(Relaxed) + bytes + len;
        frames == 0 || frames * STORED_SHARE < self.queue.max_capacity() && bytes * STORED_SHARE < self.max_queued_bytes
    }

    /// Frames and bytes of a page of history.
    pub(crate) fn page(&self) -> (usize, usize) {
        ((self.queue.max_capacity() / STORED_SHARE).max(1), (self.max_queued_bytes / STORED_SHARE).max(1))
    }

    /// Whether the database may know of the connection, now or when it has done what waits.
    pub(crate) fn has_asked_hello(&self) -> bool {
        self.asked_hello.load(Relaxed)
    }

    pub(crate) fn set_asked_hello(&self) {
        self.asked_hello.store(true, Relaxed);
    }

    /// Whether the client has asked for the reliable mode, and has its welcome.
    pub fn has_said_hello(&self) -> bool {
        self.said_hello.load(Relaxed)
    }

    pub(crate) fn set_said_hello(&self) {
        self.said_hello.store(true, Relaxed);
        *self.acked.lock() = None;
    }

    /// The client has its `welcome`, which acknowledges everything up to `last`.
    pub(crate) fn resume_acks(&self, last: u64) {
        self.acked_at_ms.store(monotonic_ms(), Relaxed);
        self.acked.lock().get_or_insert(last);
    }

    /// Queues an acknowledgement.
    pub(crate) fn acknowledge(&self, seq: u64) {
        // Held while it is queued, so that a repeated one cannot come behind a later one.
        let mut acked = self.acked.lock();
        *acked = Some(seq);
        self.queue_ack(seq);
    }

    /// Repeats the last acknowledgement, if there has been none for a while although messages of the client wait: it would take
    /// the link for dead.
    pub(crate) fn repeat_ack(&self, now_ms: u64, pause: Duration) {
        let quiet = Duration::from_millis(now_ms.saturating_sub(self.acked_at_ms.load(Relaxed)));
        if quiet < pause || !self.holds_back() {
            return;
        }
        if let Some(seq) = *self.acked.lock() {
            self.queue_ack(seq);
        }
    }

    fn queue_ack(&self, seq: u64) {
        self.acked_at_ms.store(monotonic_ms(), Relaxed);
        if !self.is_silent() {
            // It is small, and goes right behind the result of a request, which may be larger than all that may be queued.
            self.queue_within(usize::MAX, &envelope::event("ack", &json!({ "seq": seq })));
        }
    }

    pub(crate) fn set_held_back(&self, held_back: bool) {
        self.held_back.store(held_back, Relaxed);
    }

    /// Whether messages of the client wait: for the rate limit, to be read, or for the database.
    pub(crate) fn holds_back(&self) -> bool {
        self.held_back.load(Relaxed) || self.window.available_permits() < WINDOW
    }

    /// Whether the token that it was opened with is no longer good.
    pub(crate) fn has_expired(&self, now_epoch_ms: i64) -> bool {
        now_epoch_ms >= self.expires_at_ms
    }

    /// Ends the connection. Only the first call counts.
    pub fn end(&self, ending: Ending) -> bool {
        let sender = self.ending.lock().take();
        sender.is_some_and(|sender| sender.send(ending).is_ok())
    }

    /// A silent connection accepts frames and answers nothing, like a peer behind a dead link.
    pub fn is_silent(&self) -> bool {
        self.silent.load(Relaxed)
    }

    /// Makes it silent, or no longer. For tests.
    pub fn set_silent(&self, silent: bool) {
        self.silent.store(silent, Relaxed);
    }

    /// The client has sent a message.
    pub(crate) fn heard(&self) {
        self.heard_at_ms.store(monotonic_ms(), Relaxed);
    }

    /// For how long the client has sent no message.
    pub(crate) fn idle_for(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.heard_at_ms.load(Relaxed)))
    }

    pub(crate) fn write_starts(&self) {
        self.writing_since_ms.store(monotonic_ms(), Relaxed);
    }

    pub(crate) fn write_ends(&self) {
        self.writing_since_ms.store(0, Relaxed);
    }

    /// For how long a write has been waiting for the client to read.
    pub(crate) fn stuck_for(&self, now_ms: u64) -> Duration {
        match self.writing_since_ms.load(Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis(now_ms.saturating_sub(since)),
        }
    }
}

/// Stored events, which come again, may fill this part of a queue: a third.
const STORED_SHARE: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_behind_a_frame_that_is_larger_than_the_queue_ends_nothing() {
        let limits = QueueLimits { frames: 3, bytes: 100 };
        let (connection, mut inbox) = Connection::new(1, &Ticket::of("ada"), limits);
        let event = |text: &str| envelope::event("event", &json!({ "text": text }));
        assert!(connection.deliver(&event(&"x".repeat(1000))));
        connection.acknowledge(1);
        assert!(inbox.ending.try_recv().is_err());
        assert!(!connection.deliver(&event("more")));
        assert!(matches!(inbox.ending.try_recv(), Ok(Ending::Close { code: 1013, .. })));
        for _ in 0..2 {
            connection.dequeued(&inbox.queue.try_recv().unwrap());
        }
        assert_eq!(connection.queued_bytes.load(Relaxed), 0);
    }
}
