//! A real WebSocket client.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::positions::Positions;

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Far beyond what anything takes; only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// It counts offsets from where each stream began.
pub struct Client {
    pub socket: Socket,
    user: String,
    positions: Positions,
}

impl Client {
    pub fn new(socket: Socket, positions: Positions) -> Self {
        Self { socket, user: String::new(), positions }
    }

    /// Whose connection it is, which its positions are counted by.
    pub fn is(&mut self, user: &str) {
        user.clone_into(&mut self.user);
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
