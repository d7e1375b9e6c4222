//! What every connection shares.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use serde_json::json;

use crate::{
    action::Action,
    colabmatch,
    connection::{Connection, Inbox, QueueLimits},
    dev::Dev,
    ending::Ending,
    envelope::{self, Envelope},
    hub::{Full, Hub},
    limits::RateLimits,
    matches::Matches,
    metrics::{Metrics, Snapshot},
    options::Options,
    outgoing::Outgoing,
    reliable::Ledger,
    reply::Refusal,
    token::{Ticket, Tokens},
    trail::Trail,
    typing::Typists,
};

/// The parts of a running server.
pub struct App {
    pub options: Options,
    pub tokens: Tokens,
    pub hub: Arc<Hub>,
    pub matches: Matches,
    pub typists: Mutex<Typists>,
    pub limits: Arc<RateLimits>,
    pub metrics: Arc<Metrics>,
    pub trail: Arc<Trail>,
    pub dev: Option<Dev>,
    /// Held while a user's number of connections and the news of it change together, so that the last news is true.
    pub presence: Mutex<()>,
    pub draining: AtomicBool,
    /// Tasks that still own a socket, connected or saying goodbye.
    pub sockets: AtomicUsize,
}

impl App {
    /// Takes up a connection of the user whose ticket it is.
    pub fn connect(&self, ticket: &Ticket, peer: Option<SocketAddr>) -> Result<(Arc<Connection>, Inbox), Full> {
        let user = &ticket.user;
        let silent = self.dev.as_ref().is_some_and(|dev| dev.is_silenced(user));
        let limits = QueueLimits { frames: self.options.queue_frames, bytes: self.options.queue_bytes };
        let (connection, inbox) = Connection::new(self.hub.next_id(), ticket, limits, silent);
        // Queued before anyone can find the connection, so that nothing comes before it.
        connection.deliver(&envelope::event("connected", &json!({ "user_id": &**user })));
        {
            let _ordered = self.presence.lock();
            if self.hub.add(&connection)? {
                colabmatch::presence(self, user, true);
            }
        }
        if let Some(dev) = &self.dev {
            dev.accepted(user);
        }
        self.trail.connected(&connection, peer);
        // A drain that listed the connections before this one was added would miss it.
        if self.draining.load(Ordering::SeqCst) {
            connection.end(Ending::close(1012, "restarting"));
        }
        Ok((connection, inbox))
    }

    /// Forgets a connection.
    pub fn disconnect(&self, connection: &Arc<Connection>, ending: &Ending) {
        {
            let _ordered = self.presence.lock();
            if let Some(rooms) = self.hub.remove(connection) {
                colabmatch::left(self, &connection.user, &rooms);
                colabmatch::presence(self, &connection.user, false);
            }
        }
        if connection.has_said_hello() {
            let (store, connection) = (self.matches.store().clone(), connection.clone());
            tokio::spawn(async move {
                // Without a database there is nothing to note it in.
                let _ = store.post(move |database, ledger| ledger.gone(database, &connection)).await;
            });
        }
        let cause = ending.cause();
        if let Some(kind) = ending.error_kind() {
            self.metrics.error(kind);
        }
        self.trail.disconnected(connection, cause);
    }

    /// Carries out an action where something of it is stored, and waits until it is.
    pub async fn on_disk(&self, from: &Arc<Connection>, action: Action) -> Result<Option<Outgoing>, Refusal> {
        let from = from.clone();
        let job = move |database: &_, ledger: &mut Ledger| ledger.perform(database, &from, None, action);
        self.matches.store().run_with_ledger(job).await??;
        Ok(None)
    }

    /// Has a connection sent the next part of what it is behind with.
    pub async fn catch_up(&self, connection: &Arc<Connection>) -> Result<(), Ending> {
        let connection = connection.clone();
        let page = move |database: &_, ledger: &mut Ledger| ledger.page(database, &connection);
        self.matches.store().post(page).await.map_err(|_| Ending::close(1011, "no database"))
    }

    /// Whether handshakes are being refused on command, for all or for this user.
    pub fn refuses(&self, user: Option<&str>) -> bool {
        self.dev.as_ref().is_some_and(|dev| dev.refuses(user))
    }

    /// Keeps a message for the tests that ask what arrived.
    pub fn received(&self, from: &Connection, envelope: &Envelope) {
        if let Some(dev) = &self.dev {
            dev.record(from, envelope);
        }
    }

    /// Keeps a frame that is not a message, likewise.
    pub fn received_malformed(&self, from: &Connection, text: &str) {
        if let Some(dev) = &self.dev {
            dev.record_malformed(from, text);
        }
    }

    /// Ends every connection, and every later one, because the server restarts.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        for connection in self.hub.connections(None) {
            connection.end(Ending::close(1012, "restarting"));
        }
    }

    /// The metrics as text.
    pub fn render_metrics(&self) -> Result<String, std::fmt::Error> {
        let queues = self.hub.connections(None).into_iter().map(|connection| connection.queue_len());
        let (queued_frames, longest_queue) = queues.fold((0, 0), |(sum, longest), len| (sum + len, longest.max(len)));
        self.metrics.render(&Snapshot { queued_frames, longest_queue, sessions: self.hub.rooms() })
    }
}
