//! A server on a free port and a real WebSocket client.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its own part, and a test may panic")]

pub mod mortal;
pub mod positions;
pub mod subject;

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use mortal::Socket;
use positions::Positions;
use serde_json::{Value, json};
use subject::Subject;
use tokio::time::timeout;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, Message, protocol::CloseFrame},
};

/// Far beyond what anything takes; only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

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
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub async fn token(&self, user: &str) -> String {
        let answer = self.post("/dev/token", json!({ "user_id": user })).await;
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Connects and takes the greeting.
    pub async fn connect(&self, user: &str) -> Client {
        let mut client = self.connect_with(&self.token(user).await).await;
        user.clone_into(&mut client.user);
        assert_eq!(client.event("connected").await["user_id"], user);
        client
    }

    pub async fn connect_with(&self, token: &str) -> Client {
        let socket = connect_async(self.ws_url(token)).await.unwrap().0;
        Client { positions: self.positions.clone(), ..Client::new(socket) }
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

/// It counts offsets from where each stream began.
pub struct Client {
    pub socket: Socket,
    user: String,
    positions: Positions,
}

impl Client {
    pub fn new(socket: Socket) -> Self {
        Self { socket, user: String::new(), positions: Positions::default() }
    }

    pub async fn send(&mut self, kind: &str, data: Value) {
        let frame = json!({ "type": kind, "data": data, "timestamp": 1_700_000_000_000_i64 });
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next frame, but for who is in a session, which comes whenever someone joins or goes.
    pub async fn frame(&mut self) -> Message {
        loop {
            let frame = timeout(PATIENCE, self.socket.next()).await.expect("no frame").expect("closed").unwrap();
            if !is_roster(&frame) {
                return frame;
            }
        }
    }

    /// Who is in a session, when it comes next.
    pub async fn roster(&mut self) -> Value {
        loop {
            let frame = timeout(PATIENCE, self.socket.next()).await.expect("no frame").expect("closed").unwrap();
            if is_roster(&frame) {
                return serde_json::from_str::<Value>(frame.to_text().unwrap()).unwrap()["data"].take();
            }
        }
    }

    /// The next envelope, whatever its type.
    pub async fn any(&mut self) -> Value {
        let frame = self.frame().await;
        let mut envelope: Value =
            serde_json::from_str(frame.to_text().unwrap()).unwrap_or_else(|_| panic!("{frame:?}"));
        // The protocol lets a server leave it out.
        assert!(envelope["timestamp"].is_i64() || envelope.get("timestamp").is_none(), "{envelope}");
        self.positions.received(&self.user, &mut envelope);
        envelope
    }

    /// The payload of the next envelope, which must have this type.
    pub async fn event(&mut self, kind: &str) -> Value {
        let mut envelope = self.any().await;
        assert_eq!(envelope["type"], kind, "{envelope}");
        envelope["data"].take()
    }

    /// Says hello and returns the welcome.
    pub async fn hello(&mut self, client_id: &str, streams: Value) -> Value {
        let mut data = json!({ "versions": [1], "client_id": client_id, "streams": streams });
        self.positions.sent(&self.user, &mut data);
        self.send("hello", data).await;
        // Stored events that come before it come again.
        self.next("welcome").await["data"].take()
    }

    /// Sends a message with a number.
    pub async fn say(&mut self, seq: u64, kind: &str, data: Value) {
        self.send_text(&json!({ "type": kind, "data": data, "timestamp": 0, "seq": seq }).to_string()).await;
    }

    /// Sends a request.
    pub async fn ask(&mut self, seq: u64, kind: &str, data: Value) {
        let frame = json!({ "type": kind, "data": data, "timestamp": 0, "seq": seq, "request": true });
        self.send_text(&frame.to_string()).await;
    }

    /// Reads until this number is acknowledged, and returns what came before that.
    pub async fn acked(&mut self, seq: u64) -> Vec<Value> {
        let mut before = Vec::new();
        loop {
            let event = self.any().await;
            if event["type"] != "ack" {
                before.push(event);
            } else if event["data"]["seq"] == seq {
                return before;
            }
        }
    }

    /// The next event with this type, whatever comes before it.
    pub async fn next(&mut self, kind: &str) -> Value {
        loop {
            let event = self.any().await;
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// Waits until the server has handled what was sent, by a ping behind it. Nothing else may arrive meanwhile.
    pub async fn settle(&mut self) {
        self.send("ping", json!({})).await;
        self.event("pong").await;
    }

    /// Waits likewise, and nothing of this type may arrive meanwhile.
    pub async fn settle_without(&mut self, kind: &str) {
        self.send("ping", json!({})).await;
        loop {
            let event = self.any().await;
            assert_ne!(event["type"], kind, "{event}");
            if event["type"] == "pong" {
                return;
            }
        }
    }

    /// The close frame that the server sends next.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.frame().await {
            Message::Close(Some(CloseFrame { code, reason })) => (code.into(), reason.to_string()),
            other => panic!("not a close frame: {other:?}"),
        }
    }

    /// The connection ends without a close frame.
    pub async fn aborted(&mut self) {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("still open") {
                None | Some(Err(_)) => return,
                Some(Ok(frame)) => assert!(is_roster(&frame), "not aborted: {frame:?}"),
            }
        }
    }

    /// Nothing arrives for a while.
    pub async fn hears_nothing(&mut self) {
        let listening = async {
            loop {
                let heard = self.socket.next().await;
                assert!(heard.as_ref().is_some_and(|frame| frame.as_ref().is_ok_and(is_roster)), "{heard:?}");
            }
        };
        assert!(timeout(Duration::from_millis(150), listening).await.is_err());
    }
}

fn is_roster(frame: &Message) -> bool {
    frame.to_text().is_ok_and(|text| text.starts_with(r#"{"type":"session_members""#))
}
