//! The process dies without warning: nothing acknowledged is lost, nothing is processed twice.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

const TAB: &str = "k3Zq8vXw2LmN4pRt";

/// A server process with a database that outlives it.
struct Mortal {
    file: PathBuf,
    running: Option<Child>,
    url: String,
    http: reqwest::Client,
}

impl Mortal {
    fn new(name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("everwire-{name}-{}.sqlite3", std::process::id()));
        Self { file, running: None, url: String::new(), http: reqwest::Client::new() }
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everwire-server"));
        command.args(["--dev", "--port", "0", "--rate-limit-per-minute", "0", "--database"]).arg(&self.file);
        command.args(["--secret", "a secret that outlives the process", "--record-frames", "0"]);
        let mut running = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.url = line.trim_end().strip_prefix("ready ").unwrap().to_owned();
        self.running = Some(running);
    }

    fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        running.kill().unwrap();
        running.wait().unwrap();
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    async fn push(&self, user: &str, n: u64) -> bool {
        let body = json!({ "type": "notification", "data": { "n": n }, "user_id": user });
        self.http.post(format!("{}dev/push", self.url)).json(&body).send().await.is_ok()
    }

    /// Connects and says hello; returns the socket and the welcome.
    async fn hello(&self, user: &str, streams: Value) -> (WebSocketStream<MaybeTlsStream<TcpStream>>, Value) {
        let token = self.get(&format!("dev/token?user_id={user}")).await;
        let token = token["token"].as_str().unwrap();
        let url = format!("{}api/ws?token={token}", self.url.replacen("http", "ws", 1));
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let hello = json!({ "type": "hello", "data": { "versions": [1], "client_id": TAB, "streams": streams } });
        socket.send(Message::text(hello.to_string())).await.unwrap();
        loop {
            let mut event = next(&mut socket).await.unwrap();
            if event["type"] == "welcome" {
                return (socket, event["data"].take());
            }
        }
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.file.display()));
        }
    }
}

async fn next(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Option<Value> {
    let frame = timeout(Duration::from_secs(10), socket.next()).await.expect("no frame")?.ok()?;
    serde_json::from_str(frame.to_text().ok()?).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_processed_once_and_in_order_however_often_the_server_is_killed() {
    const MESSAGES: u64 = 4000;
    let mut server = Mortal::new("burst");
    let mut acked = 0;
    let mut kills = 0;
    let mut resent_below_last = 0;
    let mut epoch = Value::Null;
    while acked < MESSAGES {
        server.start();
        let (socket, welcome) = server.hello("ada", json!({})).await;
        let last = welcome["last"].as_u64().unwrap();
        assert!(last >= acked, "acknowledged up to {acked}, and processed up to {last}");
        assert!(epoch.is_null() || epoch == welcome["epoch"]);
        epoch = welcome["epoch"].clone();
        acked = last;
        let (mut up, mut down) = socket.split();
        let sending = async {
            let message = |seq| json!({ "type": "echo", "data": { "n": seq }, "seq": seq }).to_string();
            let mut seq = last + 1;
            while seq <= MESSAGES {
                // Now and then some that have been sent already, as if it were not known that they arrived.
                if fastrand::u8(..) < 8 {
                    let back = fastrand::u64(1..40).min(seq - 1);
                    resent_below_last += back;
                    seq -= back;
                    if seq == last {
                        seq += 1;
                    }
                }
                if up.send(Message::text(message(seq))).await.is_err() {
                    return;
                }
                seq += 1;
            }
        };
        let reading = async {
            while let Some(Ok(frame)) = down.next().await {
                let Ok(event) = serde_json::from_str::<Value>(frame.to_text().unwrap_or_default()) else { return };
                if event["type"] == "ack" {
                    let seq = event["data"]["seq"].as_u64().unwrap();
                    assert!(seq >= acked, "{seq} after {acked}");
                    acked = seq;
                    if acked == MESSAGES {
                        return;
                    }
                }
            }
        };
        let life = Duration::from_millis(fastrand::u64(5..60));
        let _ = timeout(life, async { tokio::join!(sending, reading) }).await;
        server.kill();
        kills += 1;
    }
    server.start();
    let processed = server.get("dev/processed?user_id=ada").await;
    let seqs = processed.as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap());
    assert!(seqs.eq(1..=MESSAGES), "{kills} kills");
    assert!(processed.as_array().unwrap().iter().all(|message| message["data"]["n"] == message["seq"]));
    assert!(kills > 2, "{kills}");
    assert!(resent_below_last > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_events_outlive_the_server_with_their_places() {
    let mut server = Mortal::new("events");
    server.start();
    let (socket, _) = server.hello("ada", json!({})).await;
    drop(socket);
    let mut pushed: HashMap<u64, u64> = HashMap::new();
    let mut n = 0;
    for _ in 0..5 {
        let life = Duration::from_millis(fastrand::u64(30..120));
        let _ = timeout(life, async {
            while server.push("ada", n + 1).await {
                n += 1;
            }
        })
        .await;
        server.kill();
        server.start();
        let (mut socket, welcome) = server.hello("ada", json!({ "user": 0 })).await;
        assert_eq!(welcome["streams"]["user"], 0);
        let ping = json!({ "type": "ping", "data": {} });
        socket.send(Message::text(ping.to_string())).await.unwrap();
        let mut offset = 0;
        let mut last_n = 0;
        // Each that was answered is there. One that was not may be.
        while last_n < n {
            let event = next(&mut socket).await.unwrap();
            if event["type"] == "pong" {
                continue;
            }
            offset += 1;
            assert_eq!(event["offset"], offset);
            last_n = event["data"]["n"].as_u64().unwrap();
            assert_eq!(*pushed.entry(offset).or_insert(last_n), last_n, "another event at {offset}");
        }
        n = n.max(last_n);
    }
    assert!(n > 20, "{n}");
}

/// A measurement, for a release build: `cargo test --release -p everwire-server --test killed -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
#[expect(clippy::print_stderr, reason = "what it is for")]
async fn numbered_messages_in_a_second() {
    const CLIENTS: usize = 20;
    const MESSAGES: u64 = 5000;
    let mut server = Mortal::new("throughput");
    server.start();
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        clients.push(server.hello(&format!("user{n}"), json!({})).await.0);
    }
    let started = std::time::Instant::now();
    let sending = clients.into_iter().map(|socket| async move {
        let (mut up, mut down) = socket.split();
        let sending = async {
            for seq in 1..=MESSAGES {
                let message = json!({ "type": "join_session", "data": { "session_id": "s1" }, "seq": seq });
                up.feed(Message::text(message.to_string())).await.unwrap();
            }
            up.flush().await.unwrap();
        };
        let reading = async {
            let mut acks = 0;
            while let Some(Ok(frame)) = down.next().await {
                let event: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
                acks += u64::from(event["type"] == "ack");
                if event["type"] == "ack" && event["data"]["seq"] == MESSAGES {
                    return acks;
                }
            }
            panic!("closed");
        };
        tokio::join!(sending, reading).1
    });
    let acks: u64 = futures_util::future::join_all(sending).await.iter().sum();
    let seconds = started.elapsed().as_secs_f64();
    let messages = CLIENTS as u64 * MESSAGES;
    eprintln!("{messages} messages in {seconds:.2} s: {:.0}/s, {acks} acks", messages as f64 / seconds);
}
