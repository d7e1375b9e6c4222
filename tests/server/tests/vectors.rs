//! The conversations of `docs/vectors`, played against the server.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{collections::VecDeque, path::Path};

use common::{Client, World};
use serde_json::{Value, json};

/// One conversation with a server of its own.
struct Play {
    world: World,
    user: String,
    client: Option<Client>,
    /// The `ack` that was seen last, and whether the conversation expects it yet.
    acked: u64,
    steps: VecDeque<Value>,
    /// For the words of a failure.
    at: String,
}

impl Play {
    async fn new(flags: &[&str], steps: Vec<Value>) -> Self {
        Self {
            world: World::new(flags).await,
            user: String::new(),
            client: None,
            acked: 0,
            steps: steps.into(),
            at: String::new(),
        }
    }

    async fn step(&mut self, step: Value, flags: &[&str]) {
        let lost = step["lost"] == true;
        if let Some(user) = step["connect"].as_str() {
            self.user = user.to_owned();
            self.client = Some(self.world.connect(user).await);
            self.acked = 0;
        } else if !step["client"].is_null() {
            if !lost {
                let mut frame = step["client"].clone();
                if frame["type"] == "hello" {
                    self.world.positions.sent(&self.user, &mut frame["data"]);
                }
                self.client().send_text(&frame.to_string()).await;
            }
        } else if let Some(text) = step["text"].as_str() {
            self.client().send_text(text).await;
        } else if !step["server"].is_null() {
            self.server(&step["server"]).await;
        } else if step["cut"] == true {
            self.cut().await;
        } else if let Some(code) = step["close"].as_u64() {
            assert_eq!(u64::from(self.client().closed().await.0), code, "{}", self.at);
            self.client = None;
        } else if step["restart"] == true {
            self.client = None;
            let fresh = World::new(&[]).await;
            let old = std::mem::replace(&mut self.world, fresh);
            assert!(old.server.drain().await);
            let positions = old.positions;
            self.world = World::new(flags).await;
            self.world.positions = positions;
        } else if !step["push"].is_null() {
            let push = &step["push"];
            assert_eq!(push["stream"], "user");
            let body = json!({ "type": push["type"], "data": push["data"], "user_id": self.user });
            self.world.post("/dev/push", body).await;
        } else if !step["forget"].is_null() {
            let mut body = step["forget"].clone();
            body["user_id"] = json!(self.user);
            let beginning = self.world.positions.beginning(&self.user, body["stream"].as_str().unwrap());
            body["upto"] = json!(beginning + body["upto"].as_u64().unwrap());
            self.world.post("/dev/forget", body).await;
        } else {
            assert!(!step["app"].is_null(), "an unknown step: {step}");
        }
    }

    async fn server(&mut self, expected: &Value) {
        // What is lost is read here and by no client: the server has to have sent it before the connection is cut.
        let expected_ack = (expected["type"] == "ack").then(|| expected["data"]["seq"].as_u64().unwrap());
        loop {
            if expected_ack.is_some_and(|seq| seq <= self.acked) {
                return;
            }
            let got = self.client().any().await;
            if is_own(&got) {
                continue;
            }
            let got = comparable(got, expected);
            if got["type"] == "ack" {
                let seq = got["data"]["seq"].as_u64().unwrap();
                assert!(seq >= self.acked, "ack {seq} after {}", self.acked);
                self.acked = seq;
                // One that a later one covers, or one that comes before the answer to its message.
                assert!(expected_ack.is_some() || seq <= self.next_ack(), "{got} where {expected} was expected");
                continue;
            }
            assert_eq!(got, *expected, "{}", self.at);
            return;
        }
    }

    /// The highest acknowledgement that is still expected on this connection.
    fn next_ack(&self) -> u64 {
        let here = self.steps.iter().take_while(|step| step["connect"].is_null());
        let acks = here.filter(|step| step["server"]["type"] == "ack");
        acks.filter_map(|step| step["server"]["data"]["seq"].as_u64()).max().unwrap_or(0)
    }

    async fn cut(&mut self) {
        self.client = None;
        self.world.until("the server has noticed", async || self.world.server.connections() == 0).await;
    }

    fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("no connection")
    }
}

/// Whether an event is the user's own message for their other connections, which a server may leave out.
fn is_own(event: &Value) -> bool {
    event["client_id"].is_string()
}

/// Without what is not compared: timestamps, words for people, and limits and names that the conversation does not mention.
fn comparable(mut got: Value, expected: &Value) -> Value {
    got.as_object_mut().unwrap().remove("timestamp");
    if got["type"] == "pong" {
        got.as_object_mut().unwrap().remove("data");
    }
    if expected["data"]["message"].is_null()
        && let Some(data) = got.get_mut("data").and_then(Value::as_object_mut)
        && data.get("message").is_some_and(Value::is_string)
    {
        data.remove("message");
    }
    let named: &[_] = if got["type"] == "error" { &["session_id", "match_id", "message_id"] } else { &[] };
    for field in ["max_bytes", "remember_ms"].iter().chain(named) {
        if expected["data"][field].is_null()
            && let Some(data) = got.get_mut("data").and_then(Value::as_object_mut)
        {
            data.remove(*field);
        }
    }
    got
}

async fn play(name: &str, vector: &Value) {
    let file = std::env::temp_dir().join(format!("everwire-vector-{name}-{}.sqlite3", std::process::id()));
    let flags = ["--epoch", "1", "--secret", "the secret of the vectors", "--database", file.to_str().unwrap()];
    let mut play = Play::new(&flags, vector["steps"].as_array().unwrap().clone()).await;
    while let Some(step) = play.steps.pop_front() {
        play.at = format!("{name}: {step}");
        play.step(step, &flags).await;
    }
    // Nothing comes that the conversation does not have.
    if let Some(client) = &mut play.client {
        client.send("ping", json!({})).await;
        loop {
            let event = client.any().await;
            match event["type"].as_str() {
                Some("pong") => break,
                Some("ack") => assert!(event["data"]["seq"].as_u64() <= Some(play.acked), "{event}"),
                _ if is_own(&event) => {}
                _ => panic!("{name}: {event}"),
            }
        }
    }
    drop(play);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}

#[tokio::test]
async fn every_conversation_that_a_server_can_have() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors");
    let mut played = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let vector: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(vector["about"].is_string(), "{}", path.display());
        if vector["side"] != "client" {
            play(path.file_stem().unwrap().to_str().unwrap(), &vector).await;
            played += 1;
        }
    }
    assert!(played >= 10, "{played}");
}
