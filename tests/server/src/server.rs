//! The server as a value: start it, ask it where it is, stop it.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tower::ServiceExt as _;

use crate::{
    connection::{Connection, Ending, Inbox},
    dev::Dev,
    envelope::Envelope,
    hub::Hub,
    options::{Options, Secret},
    routes,
    token::Tokens,
};

/// What every connection shares.
pub struct App {
    pub options: Options,
    pub tokens: Tokens,
    pub hub: Hub,
    pub dev: Option<Dev>,
}

impl App {
    /// Takes up a connection of `user`.
    pub fn connect(&self, user: &Arc<str>) -> (Arc<Connection>, Inbox) {
        let silent = self.dev.as_ref().is_some_and(|dev| dev.accepted(user));
        let (connection, inbox) = Connection::new(self.hub.next_id(), user.clone(), QUEUE_LEN, silent);
        self.hub.add(&connection);
        tracing::info!(connection = connection.id, user = %user, "connected");
        (connection, inbox)
    }

    /// Forgets a connection.
    pub fn disconnect(&self, connection: &Connection, ending: &Ending) {
        self.hub.remove(connection);
        tracing::info!(connection = connection.id, user = %connection.user, ?ending, "disconnected");
    }

    /// Whether handshakes are being refused on command, for all or for this user.
    pub fn refuses(&self, user: Option<&str>) -> bool {
        self.dev.as_ref().is_some_and(|dev| dev.refuses(user))
    }

    /// Keeps a received message for the tests that ask what arrived.
    pub fn record(&self, from: &Connection, envelope: &Envelope) {
        if let Some(dev) = &self.dev {
            dev.record(from, envelope);
        }
    }

    /// Keeps a received frame that is not a message.
    pub fn record_malformed(&self, from: &Connection, text: &str) {
        if let Some(dev) = &self.dev {
            dev.record_malformed(from, text);
        }
    }
}

/// A running server. Dropping it stops accepting; connections live on until their sockets end.
pub struct Server {
    addr: SocketAddr,
    app: Arc<App>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Binds the address and starts accepting.
    ///
    /// # Errors
    /// Options that do not go together, or an address that cannot be bound.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let secret = match (&options.secret, options.dev) {
            (Some(secret), _) => secret.clone(),
            (None, true) => Secret::random().map_err(StartError::Random)?,
            (None, false) => return Err(StartError::NoSecret),
        };
        if !options.dev && secret.as_bytes().len() < 32 {
            tracing::warn!("the token secret has less than 32 bytes and can be guessed");
        }
        let listener = TcpListener::bind((options.host, options.port))
            .await
            .map_err(|error| StartError::Bind(SocketAddr::new(options.host, options.port), error))?;
        let addr = listener.local_addr().map_err(StartError::Io)?;
        let app = Arc::new(App {
            tokens: Tokens::new(&secret, options.token_life_s),
            hub: Hub::default(),
            dev: options.dev.then(|| Dev::new(options.record_frames)),
            options,
        });
        let accepting = tokio::spawn(accept(listener, routes::router(&app)));
        Ok(Self { addr, app, accepting })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base URL, with a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Open WebSocket connections.
    pub fn connections(&self) -> usize {
        self.app.hub.len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, router: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, router.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: accepting again at once would spin.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service =
        service_fn(move |request: hyper::Request<Incoming>| router.clone().oneshot(request.map(axum::body::Body::new)));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "HTTP connection ended");
    }
}

/// Why the server did not start.
#[derive(Debug)]
pub enum StartError {
    /// There is no secret to check tokens with, and no `--dev`.
    NoSecret,
    /// The address cannot be bound.
    Bind(SocketAddr, io::Error),
    /// The system gave no random bytes.
    Random(getrandom::Error),
    /// Anything else that the operating system refused.
    Io(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret => formatter.write_str(
                "a secret is needed to check tokens: give --secret or EVERWIRE_JWT_SECRET, or --dev for a random one",
            ),
            Self::Bind(addr, error) => write!(formatter, "cannot listen on {addr}: {error}"),
            Self::Random(error) => write!(formatter, "no random bytes for a secret: {error}"),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for StartError {}

/// Frames waiting for one connection.
const QUEUE_LEN: usize = 256;

/// When to give up on a client that has not finished its request's head.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Room for a request's head: a long token, and a browser's cookies.
const MAX_HEAD_BYTES: usize = 32 * 1024;
