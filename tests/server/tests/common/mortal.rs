//! A server process that can be killed.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use super::subject;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

pub use super::client::Socket;

const TAB: &str = "k3Zq8vXw2LmN4pRt";

/// A server process with a database that outlives it.
pub struct Mortal {
    file: PathBuf,
    /// Whether the file ends with this process, and not with another one that has it as well.
    owns_file: bool,
    running: Option<Child>,
    url: String,
    http: reqwest::Client,
}

impl Mortal {
    pub fn new(name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("everwire-{name}-{}.sqlite3", std::process::id()));
        Self { file, owns_file: true, running: None, url: String::new(), http: reqwest::Client::new() }
    }

    /// Another process on the same database.
    pub fn beside(&self) -> Self {
        let Self { file, http, .. } = self;
        Self { file: file.clone(), owns_file: false, running: None, url: String::new(), http: http.clone() }
    }

    pub fn start(&mut self) {
        self.start_with(&["--rate-limit-per-minute", "0"]);
    }

    pub fn start_with(&mut self, flags: &[&str]) {
        self.spawn(flags);
        self.wait_until_ready();
    }

    pub fn spawn(&mut self, flags: &[&str]) {
        self.running = Some(self.command(flags).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    }

    /// Starts it so that a file that becomes too large (`RLIMIT_FSIZE`) is an error of the write, and does not end the process.
    pub fn start_heedless_of_file_limits(&mut self) {
        let command = self.command(&["--rate-limit-per-minute", "0"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#]).arg(command.get_program()).args(command.get_args());
        self.running = Some(shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        self.wait_until_ready();
    }

    /// Starts it where it cannot start, and says how it has ended.
    pub fn end_at_the_start(&mut self) -> Output {
        self.command(&[]).output().unwrap()
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = subject::command().unwrap_or_else(|| Command::new(env!("CARGO_BIN_EXE_everwire-server")));
        command.args(["--dev", "--port", "0", "--database"]).arg(&self.file).args(flags);
        command.args(["--secret", "a secret that outlives the process", "--record-frames", "0"]);
        command
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

    pub fn wait_until_ready(&mut self) {
        self.url = subject::ready(self.running.as_mut().unwrap());
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

    pub async fn post(&self, path: &str, body: Value) {
        assert_eq!(self.try_post(path, body).await, 200, "{path}");
    }

    pub async fn try_post(&self, path: &str, body: Value) -> u16 {
        self.http.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap().status().as_u16()
    }

    pub async fn push(&self, user: &str, n: u64) -> bool {
        let body = json!({ "type": "notification", "data": { "n": n }, "user_id": user });
        self.http.post(format!("{}dev/push", self.url)).json(&body).send().await.is_ok()
    }

    /// Connects without a hello.
    pub async fn connect(&self, user: &str) -> Socket {
        let token = self.get(&format!("dev/token?user_id={user}")).await;
        let token = token["token"].as_str().unwrap();
        let url = format!("{}api/ws?token={token}", self.url.replacen("http", "ws", 1));
        tokio_tungstenite::connect_async(url).await.unwrap().0
    }

    /// Connects and says hello; returns the socket and the welcome.
    pub async fn hello(&self, user: &str, streams: Value) -> (Socket, Value) {
        self.hello_as(user, TAB, streams).await.expect("no welcome")
    }

    /// The same under a client id of choice. There is no welcome if another connection takes over at once.
    pub async fn hello_as(&self, user: &str, client_id: &str, streams: Value) -> Option<(Socket, Value)> {
        let mut socket = self.connect(user).await;
        let hello = json!({ "type": "hello", "data": { "versions": [1], "client_id": client_id, "streams": streams } });
        socket.send(Message::text(hello.to_string())).await.ok()?;
        loop {
            let mut event = next(&mut socket).await?;
            if event["type"] == "welcome" {
                return Some((socket, event["data"].take()));
            }
        }
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
        for suffix in ["", "-wal", "-shm"].into_iter().filter(|_| self.owns_file) {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.file.display()));
        }
    }
}

/// The next event, unless the connection has ended; not who is in a session, which comes whenever someone joins or goes.
pub async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        let frame = timeout(Duration::from_secs(10), socket.next()).await.expect("no frame")?.ok()?;
        let event: Value = serde_json::from_str(frame.to_text().ok()?).ok()?;
        if event["type"] != "session_members" {
            return Some(event);
        }
    }
}
