//! What a client tells, as streams.

use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use serde::de::DeserializeOwned;

use super::{Client, ClientError, ClientEvent, Snapshot, Subscription, decode};
use crate::events::WireEvent;
use crate::reentrancy_cell::ReentrancyCell;

impl Client {
    /// Every event of this type from now on, as a stream: [`subscribe`](Self::subscribe) for a task.
    ///
    /// ```no_run
    /// use everwire::client::{Client, ClientError, Events};
    /// use everwire::events::masterx::Notification;
    /// use futures_util::StreamExt;
    ///
    /// # fn show(_: String) {}
    /// async fn follow(mut notifications: Events<Notification>) {
    ///     while let Some(notification) = notifications.next().await {
    ///         match notification {
    ///             Ok(notification) => show(notification.text.unwrap_or_default()),
    ///             Err(ClientError::Lagged { missed, .. }) => show(format!("and {missed} more")),
    ///             Err(error) => show(error.to_string()),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// What arrives while the task does something else waits in a buffer, of [1 024 events](Events::capacity) at first. When the buffer is full, the
    /// oldest goes, and [`ClientError::Lagged`] says in its place how many are missing. A payload that does not decode is
    /// [`ClientError::Undecodable`] in its place, and told to nobody else. The stream goes on after both.
    ///
    /// Dropping the stream ends the subscription. It does not keep the connection, so give the task the stream and not the client: it ends, after what is in its buffer, when the last handle of
    /// the client is gone; on a server, at once.
    pub fn events<E>(&self) -> Events<E>
    where
        E: WireEvent + DeserializeOwned + 'static,
    {
        let (buffer, sender) = buffer(CAPACITY);
        let subscription = self.subscribe_raw(E::TYPE, move |data, _| sender.send(decode::payload(E::TYPE, data)));
        Events { buffer, event: E::TYPE, _subscription: subscription }
    }

    /// Everything that happens to the connection from now on, as a stream: [`on_event`](Self::on_event) for a task. It is buffered and ends as
    /// [`events`](Self::events) do; [`ClientError::Lagged`] names no event.
    pub fn connection_events(&self) -> Events<ClientEvent> {
        let (buffer, sender) = buffer(CAPACITY);
        let subscription = self.on_event(move |event| sender.send(Ok(event.clone())));
        Events { buffer, event: "", _subscription: subscription }
    }

    /// Where the connection stands: the [`snapshot`](Self::snapshot) of now, and then each that differs. A task that is slow gets the latest and
    /// misses those between, so nothing waits but one.
    ///
    /// ```no_run
    /// use everwire::client::Snapshots;
    /// use futures_util::StreamExt;
    ///
    /// # fn show(_: &str) {}
    /// async fn banner(mut snapshots: Snapshots) {
    ///     while let Some(snapshot) = snapshots.next().await {
    ///         show(snapshot.phase.code());
    ///     }
    /// }
    /// ```
    ///
    /// It ends as [`events`](Self::events) do; on a server, after the one snapshot that there is.
    pub fn snapshots(&self) -> Snapshots {
        let (buffer, sender) = buffer(1);
        sender.send(self.snapshot());
        let subscription = self.on_event(move |event| {
            if let ClientEvent::Changed(snapshot) = event {
                sender.send(snapshot.clone());
            }
        });
        Snapshots { buffer, _subscription: subscription }
    }
}

/// A stream of events: see [`Client::events`] and [`Client::connection_events`].
#[must_use = "dropping a stream ends its subscription"]
pub struct Events<E> {
    buffer: Rc<Buffer<Result<E, ClientError>>>,
    event: &'static str,
    _subscription: Subscription,
}

impl<E> Events<E> {
    /// Sets how many events wait at most for the task. Default 1 024; 0 counts as 1. Lower values need less memory, and lose events sooner when
    /// the task is slow.
    pub fn capacity(self, events: usize) -> Self {
        self.buffer.set_capacity(events.max(1));
        self
    }
}

impl<E> Stream for Events<E> {
    type Item = Result<E, ClientError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.buffer.take_missed() {
            0 => self.buffer.poll(context),
            missed => Poll::Ready(Some(Err(ClientError::Lagged { event: self.event.into(), missed }))),
        }
    }
}

impl<E> FusedStream for Events<E> {
    fn is_terminated(&self) -> bool {
        self.buffer.is_over()
    }
}

impl<E> std::fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("event", &self.event).finish_non_exhaustive()
    }
}

/// A stream of snapshots: see [`Client::snapshots`].
#[must_use = "dropping a stream ends its subscription"]
pub struct Snapshots {
    buffer: Rc<Buffer<Snapshot>>,
    _subscription: Subscription,
}

impl Stream for Snapshots {
    type Item = Snapshot;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Snapshot>> {
        self.buffer.take_missed();
        self.buffer.poll(context)
    }
}

impl FusedStream for Snapshots {
    fn is_terminated(&self) -> bool {
        self.buffer.is_over()
    }
}

impl std::fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshots").finish_non_exhaustive()
    }
}

/// What was told and is not taken yet. The oldest goes when it is full.
struct Buffer<T> {
    items: ReentrancyCell<VecDeque<T>>,
    capacity: Cell<usize>,
    /// How many went since the last look; all were before those that are left.
    missed: Cell<u64>,
    /// The task that waits.
    waker: ReentrancyCell<Option<Waker>>,
    is_closed: Cell<bool>,
}

/// What a handler has of a buffer. The stream owns the buffer, so that it can tell the end of the one from the end of the other.
struct Sender<T>(Weak<Buffer<T>>);

fn buffer<T>(capacity: usize) -> (Rc<Buffer<T>>, Sender<T>) {
    let buffer = Rc::new(Buffer {
        items: ReentrancyCell::default(),
        capacity: Cell::new(capacity),
        missed: Cell::new(0),
        waker: ReentrancyCell::default(),
        is_closed: Cell::new(false),
    });
    let sender = Sender(Rc::downgrade(&buffer));
    (buffer, sender)
}

impl<T> Buffer<T> {
    fn set_capacity(&self, capacity: usize) {
        self.capacity.set(capacity);
        self.make_room();
    }

    /// Lets go of what is too much, each when nothing is borrowed, because it may run user code when it is dropped.
    fn make_room(&self) {
        loop {
            let oldest = {
                let mut items = self.items.borrow_mut();
                if items.len() > self.capacity.get() { items.pop_front() } else { None }
            };
            if oldest.is_none() {
                return;
            }
            self.missed.set(self.missed.get() + 1);
        }
    }

    fn take_missed(&self) -> u64 {
        self.missed.take()
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<T>> {
        let item = self.items.borrow_mut().pop_front();
        if item.is_some() || self.is_closed.get() {
            return Poll::Ready(item);
        }
        // The waker before it may be the last owner of a task, whose end runs user code: it is dropped when nothing is borrowed.
        let _before = self.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    }

    fn is_over(&self) -> bool {
        self.is_closed.get() && self.missed.get() == 0 && self.items.borrow_mut().is_empty()
    }

    fn wake(&self) {
        let waker = self.waker.replace(None);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Sender<T> {
    fn send(&self, item: T) {
        if let Some(buffer) = self.0.upgrade() {
            buffer.items.borrow_mut().push_back(item);
            buffer.make_room();
            buffer.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(buffer) = self.0.upgrade() {
            buffer.is_closed.set(true);
            buffer.wake();
        }
    }
}

/// How many events wait at most, unless [`Events::capacity`] says otherwise.
const CAPACITY: usize = 1_024;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    use super::{Buffer, Sender, buffer};

    #[derive(Default)]
    struct Alarm(AtomicU32);

    impl Wake for Alarm {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A buffer with the task that reads it.
    struct Task {
        buffer: Rc<Buffer<u32>>,
        alarm: Arc<Alarm>,
    }

    impl Task {
        fn new(capacity: usize) -> (Self, Sender<u32>) {
            let (buffer, sender) = buffer(capacity);
            (Self { buffer, alarm: Arc::default() }, sender)
        }

        fn poll(&self) -> Poll<Option<u32>> {
            self.buffer.poll(&Context::from_waker(&Waker::from(self.alarm.clone())))
        }

        fn woken(&self) -> u32 {
            self.alarm.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_task_that_waits_is_woken_once_by_what_arrives_and_by_the_end() {
        let (task, sender) = Task::new(8);
        sender.send(1);
        assert_eq!((task.poll(), task.woken()), (Poll::Ready(Some(1)), 0));
        assert_eq!(task.poll(), Poll::Pending);
        sender.send(2);
        sender.send(3);
        assert_eq!((task.woken(), task.poll(), task.poll()), (1, Poll::Ready(Some(2)), Poll::Ready(Some(3))));
        assert_eq!(task.poll(), Poll::Pending);
        drop(sender);
        assert_eq!((task.woken(), task.poll()), (2, Poll::Ready(None)));
    }

    #[test]
    fn what_is_in_the_buffer_comes_before_the_end() {
        let (task, sender) = Task::new(8);
        sender.send(1);
        drop(sender);
        assert!(!task.buffer.is_over());
        assert_eq!(task.poll(), Poll::Ready(Some(1)));
        assert!(task.buffer.is_over());
        assert_eq!((task.poll(), task.poll()), (Poll::Ready(None), Poll::Ready(None)));
    }

    #[test]
    fn a_full_buffer_lets_go_of_the_oldest_and_counts_them() {
        let (task, sender) = Task::new(3);
        (1..=5).for_each(|item| sender.send(item));
        assert_eq!((task.buffer.take_missed(), task.buffer.take_missed()), (2, 0));
        assert_eq!(task.poll(), Poll::Ready(Some(3)));
        task.buffer.set_capacity(1);
        assert_eq!((task.buffer.take_missed(), task.poll()), (1, Poll::Ready(Some(5))));
    }

    #[test]
    fn nothing_is_kept_for_a_stream_that_is_gone() {
        struct Kept(Rc<Cell<u32>>);
        impl Drop for Kept {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let dropped = Rc::new(Cell::new(0));
        let (stream, sender) = buffer(8);
        sender.send(Kept(dropped.clone()));
        drop(stream);
        sender.send(Kept(dropped.clone()));
        assert_eq!(dropped.get(), 2);
    }
}
