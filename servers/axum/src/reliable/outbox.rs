//! What connections get once the transaction is on the disk.

use std::{collections::HashMap, sync::Arc};

use crate::{connection::Connection, ending::Ending, outgoing::Outgoing, panics};

/// Frames and acknowledgements of one transaction, in order.
#[derive(Default)]
pub struct Outbox {
    posts: Vec<Post>,
    /// One for each connection: the last covers those before it.
    acks: HashMap<u64, Ack>,
    /// Frames and bytes among the posts, for each connection.
    waiting: HashMap<u64, (usize, usize)>,
}

/// A place among the frames.
pub struct Mark(usize);

enum Post {
    Frame { to: Arc<Connection>, frame: Outgoing, origin: Option<i64> },
    Ack(Ack),
    CatchUp(Arc<Connection>),
    After(Box<dyn FnOnce() + Send>),
}

struct Ack {
    to: Arc<Connection>,
    seq: u64,
    /// How many messages it concerns, each of which has a place in the window.
    messages: usize,
}

impl Outbox {
    /// A frame for a connection. `origin` is the message that it brings news of being delivered to.
    pub fn frame(&mut self, to: &Arc<Connection>, frame: Outgoing, origin: Option<i64>) {
        let (frames, bytes) = self.waiting.entry(to.id).or_default();
        *frames += 1;
        *bytes += frame.len();
        self.posts.push(Post::Frame { to: to.clone(), frame, origin });
    }

    /// A connection's messages up to `seq` are processed, `messages` of them for the first time.
    pub fn ack(&mut self, to: &Arc<Connection>, seq: u64, messages: usize) {
        let ack = self.acks.entry(to.id).or_insert_with(|| Ack { to: to.clone(), seq, messages: 0 });
        ack.seq = ack.seq.max(seq);
        ack.messages += messages;
    }

    /// What follows must not overtake the acknowledgement of what came before it.
    pub fn settle_acks(&mut self, of: &Connection) {
        self.posts.extend(self.acks.remove(&of.id).map(Post::Ack));
    }

    /// The connection shall ask for a page of history when it has written what is before it.
    pub fn catch_up(&mut self, connection: &Arc<Connection>) {
        self.posts.push(Post::CatchUp(connection.clone()));
    }

    /// Something else to be done in its turn.
    pub fn after(&mut self, then: impl FnOnce() + Send + 'static) {
        self.posts.push(Post::After(Box::new(then)));
    }

    /// Whether a connection can take another event without risk to what must not be dropped.
    pub fn has_room(&self, connection: &Connection, event: &Outgoing) -> bool {
        let (frames, bytes) = self.waiting.get(&connection.id).copied().unwrap_or_default();
        connection.has_room(frames, bytes, event.len())
    }

    /// Where it ends now.
    pub fn mark(&self) -> Mark {
        Mark(self.posts.len())
    }

    /// Takes back what has come since, which must not include acknowledgements.
    pub fn undo(&mut self, Mark(len): Mark) {
        for post in self.posts.drain(len..) {
            match post {
                Post::Frame { to, frame, .. } => {
                    if let Some((frames, bytes)) = self.waiting.get_mut(&to.id) {
                        *frames -= 1;
                        *bytes -= frame.len();
                    }
                }
                Post::After(then) => forget(then),
                Post::Ack(_) | Post::CatchUp(_) => {}
            }
        }
    }

    /// Queues everything, and notes the origins of frames that were handed to a connection.
    pub fn deliver(&mut self, handed: &mut Vec<i64>) {
        self.waiting.clear();
        for post in self.posts.drain(..).chain(self.acks.drain().map(|(_, ack)| Post::Ack(ack))) {
            match post {
                Post::Frame { to, frame, origin } => {
                    if to.deliver(&frame) {
                        handed.extend(origin);
                    }
                }
                Post::Ack(Ack { to, seq, messages }) => {
                    to.acknowledge(seq);
                    to.window.add_permits(messages);
                }
                Post::CatchUp(connection) => connection.lagging.notify_one(),
                Post::After(then) => {
                    if panics::caught(then).is_none() {
                        tracing::error!("what was to be done after a commit panicked");
                    }
                }
            }
        }
    }

    /// The transaction has failed: whoever waits for something of it has to come again.
    pub fn fail(&mut self, ending: &Ending) {
        self.waiting.clear();
        for post in self.posts.drain(..).chain(self.acks.drain().map(|(_, ack)| Post::Ack(ack))) {
            match post {
                Post::Frame { to, .. } | Post::Ack(Ack { to, .. }) | Post::CatchUp(to) => {
                    to.end(ending.clone());
                }
                Post::After(then) => forget(then),
            }
        }
    }
}

/// Drops what will not be done. What it holds is the application's, and may panic.
fn forget(then: Box<dyn FnOnce() + Send>) {
    if panics::caught(|| drop(then)).is_none() {
        tracing::error!("what was to be done after a commit panicked when it was dropped");
    }
}
