//! A server process that can be killed.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const TAB: &str = "k3Zq8vXw2LmN4pRt";

/// A server process with a database that outlives it.
pub struct Mortal {
    file: PathBuf,
    running: Option<Child>,
    url: String,
    http: reqwest::Client,
}

impl Mortal {
    pub fn new(name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("everwire-{name}-{}.sqlite3", std::process::id()));
        Self { file, running: None, url: String::new(), http: reqwest::Client::new() }
    }

    pub fn start(&mut self) {
        self.start_with(&["--rate-limit-per-minute", "0"]);
    }

    pub fn start_with(&mut self, flags: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everwire-server"));
        command.args(["--dev", "--port", "0", "--database"]).arg(&self.file).args(flags);
        command.args(["--secret", "a secret that outlives the process", "--record-frames", "0"]);
        let mut running = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.url = line.trim_end().strip_prefix("ready ").unwrap().to_owned();
        self.running = Some(running);
    }

    pub fn pid(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    pub fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        running.kill().unwrap();
        running.wait().unwrap();
    }

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn push(&self, user: &str, n: u64) -> bool {
        let body = json!({ "type": "notification", "data": { "n": n }, "user_id": user });
        self.http.post(format!("{}dev/push", self.url)).json(&body).send().await.is_ok()
    }

    /// Connects and says hello; returns the socket and the welcome.
    pub async fn hello(&self, user: &str, streams: Value) -> (Socket, Value) {
        self.hello_as(user, TAB, streams).await
    }

    pub async fn hello_as(&self, user: &str, client_id: &str, streams: Value) -> (Socket, Value) {
        let token = self.get(&format!("dev/token?user_id={user}")).await;
        let token = token["token"].as_str().unwrap();
        let url = format!("{}api/ws?token={token}", self.url.replacen("http", "ws", 1));
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let hello = json!({ "type": "hello", "data": { "versions": [1], "client_id": client_id, "streams": streams } });
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

/// The next event, unless the connection has ended.
pub async fn next(socket: &mut Socket) -> Option<Value> {
    let frame = timeout(Duration::from_secs(10), socket.next()).await.expect("no frame")?.ok()?;
    serde_json::from_str(frame.to_text().ok()?).ok()
}
