//! The example on a free port, with the interface that the shared suites of the reference server use.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its own part, and a test may panic")]

#[path = "../../../../tests/server/tests/common/client.rs"]
pub mod client;
#[path = "../../../../tests/server/tests/common/positions.rs"]
pub mod positions;

use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

pub use client::{Client, PATIENCE};
use everwire_axum::{Limits, Rates, Tokens, Wire};
use everwire_axum_example::{Settings, application};
use positions::Positions;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_tungstenite::connect_async;

pub struct World {
    pub server: Server,
    pub positions: Positions,
    tokens: Tokens,
}

pub struct Server {
    pub wire: Wire,
    addr: SocketAddr,
    serving: JoinHandle<()>,
}

impl Server {
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn connections(&self) -> usize {
        self.wire.connections()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl World {
    /// Understands the flags of the reference server that the suites use.
    pub async fn new(flags: &[&str]) -> Self {
        let mut limits = Limits::default();
        let mut secret = "a secret that only this test knows".to_owned();
        let mut database = None;
        for flag in flags.chunks(2) {
            match *flag {
                ["--secret", given] => given.clone_into(&mut secret),
                ["--database", file] => database = Some(file.to_owned()),
                ["--rate-limit-per-minute", n] => limits.rates = rates(n.parse().unwrap()),
                ["--idle-timeout-s", n] => limits.idle_timeout = Duration::from_secs_f64(n.parse().unwrap()),
                _ => panic!("{flag:?} is no flag of this server"),
            }
        }
        let tokens = Tokens::new(&secret);
        let settings = Settings { secret, database, limits, ..Settings::default() };
        let (wire, routes) = application(settings).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { server: Server { wire, addr, serving }, positions: Positions::default(), tokens }
    }

    pub async fn token(&self, user: &str) -> String {
        self.tokens.issue(user, None).unwrap()
    }

    /// Connects and takes the greeting.
    pub async fn connect(&self, user: &str) -> Client {
        let mut client = self.connect_with(&self.token(user).await).await;
        client.is(user);
        assert_eq!(client.event("connected").await["user_id"], user);
        client
    }

    pub async fn connect_with(&self, token: &str) -> Client {
        let socket = connect_async(format!("ws://{}/api/ws?token={token}", self.server.addr)).await.unwrap().0;
        Client::new(socket, self.positions.clone())
    }

    pub async fn until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let patiently = async {
            while !condition().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, patiently).await.unwrap_or_else(|_| panic!("never: {what}"));
    }
}

fn rates(messages_per_minute: u32) -> Rates {
    Rates { messages_per_minute, chat_per_minute: NonZeroU32::MAX, typing_per_second: NonZeroU32::MAX }
}
