//! A server on a free port and a real WebSocket client.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its own part, and a test may panic")]

pub mod client;
pub mod mortal;
pub mod positions;
pub mod services;
pub mod subject;

use std::time::Duration;

pub use client::{Client, PATIENCE};
use positions::Positions;
use serde_json::{Value, json};
use subject::Subject;
use tokio::time::timeout;
use tokio_tungstenite::{connect_async, tungstenite};

pub struct World {
    pub server: Subject,
    pub positions: Positions,
    http: reqwest::Client,
}

impl World {
    pub async fn new(flags: &[&str]) -> Self {
        Self { server: Subject::start(flags).await, positions: Positions::default(), http: reqwest::Client::new() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{}", self.server.url(), path.trim_start_matches('/'))
    }

    pub fn ws_url(&self, token: &str) -> String {
        format!("ws://{}/api/ws?token={token}", self.server.addr())
    }

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    /// The status of the answer.
    pub async fn status(&self, path: &str) -> u16 {
        self.http.get(self.url(path)).send().await.unwrap().status().as_u16()
    }

    pub async fn delete(&self, path: &str) -> Value {
        self.http.delete(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_post(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn try_post(&self, path: &str, body: Value) -> (u16, Value) {
        let response = self.http.post(self.url(path)).json(&body).send().await.unwrap();
        // Not every refusal has a body.
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    pub async fn token(&self, user: &str) -> String {
        let answer = self.post("/dev/token", json!({ "user_id": user })).await;
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Connects and takes the greeting.
    pub async fn connect(&self, user: &str) -> Client {
        let mut client = self.connect_with(&self.token(user).await).await;
        client.is(user);
        assert_eq!(client.event("connected").await["user_id"], user);
        client
    }

    pub async fn connect_with(&self, token: &str) -> Client {
        let socket = connect_async(self.ws_url(token)).await.unwrap().0;
        Client::new(socket, self.positions.clone())
    }

    /// The HTTP status that a refused handshake got.
    pub async fn refused(&self, token: &str) -> u16 {
        match connect_async(self.ws_url(token)).await {
            Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Connects and joins a session. The pong shows that the server has handled the join.
    pub async fn member(&self, user: &str, session: &str) -> Client {
        let mut client = self.connect(user).await;
        client.send("join_session", json!({ "session_id": session })).await;
        client.settle().await;
        client
    }

    pub async fn received(&self, user: &str) -> Vec<Value> {
        let answer = self.get(&format!("/dev/received?user_id={user}")).await;
        answer.as_array().unwrap().clone()
    }

    /// The reference server's metrics have these lines; the metrics of others have names of their own.
    pub async fn metrics_have(&self, lines: &[&str]) {
        if self.server.is_reference() {
            let text = self.http.get(self.url("/metrics")).send().await.unwrap().text().await.unwrap();
            for line in lines {
                assert!(text.contains(line), "no {line} in\n{text}");
            }
        }
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
