//! What an operator does to a process: signals, logs that nobody reads, backups, wrong options.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/program.rs"]
mod program;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use program::{Running, ready_url, server};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A directory of a test's own, which goes with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("everwire-operator-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server whose standard error nobody reads, unless the test does.
fn started(flags: &[&str]) -> (Running, String) {
    let mut running = Running(server().args(["--dev", "--port", "0"]).args(flags).spawn().unwrap());
    let url = ready_url(&mut running);
    (running, url)
}

fn signal(running: &Running, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &running.0.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits for the end of a process, and says whether it ended well.
fn ends_well(running: &mut Running) -> bool {
    let begun = Instant::now();
    loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            return status.success();
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "the process does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A connection of a user who has heard the greeting.
async fn connected(url: &str, forwarded: Option<&str>) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    let token: Value = reqwest::get(format!("{url}dev/token?user_id=ada")).await.unwrap().json().await.unwrap();
    let ws = format!("{}api/ws?token={}", url.replacen("http", "ws", 1), token["token"].as_str().unwrap());
    let mut request = ws.into_client_request().unwrap();
    if let Some(forwarded) = forwarded {
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
    }
    let (mut ada, _) = connect_async(request).await.unwrap();
    assert!(ada.next().await.unwrap().unwrap().is_text());
    ada
}

async fn comes_and_goes(url: &str, forwarded: Option<&str>) {
    connected(url, forwarded).await.close(None).await.unwrap();
}

#[tokio::test]
async fn logs_that_nobody_reads_stop_nobody() {
    let (mut running, url) = started(&["--log-format", "json"]);
    // More than a pipe holds.
    for _ in 0..300 {
        comes_and_goes(&url, None).await;
    }
    signal(&running, "TERM");
    assert!(ends_well(&mut running));
}

#[tokio::test]
async fn a_reader_of_logs_that_goes_away_stops_nobody() {
    let (mut running, url) = started(&[]);
    comes_and_goes(&url, None).await;
    drop(running.0.stderr.take());
    for _ in 0..10 {
        comes_and_goes(&url, None).await;
    }
    signal(&running, "TERM");
    assert!(ends_well(&mut running));
}

#[test]
fn a_signal_as_soon_as_it_is_ready_ends_it_well() {
    for name in ["TERM", "INT"].repeat(10) {
        let (mut running, _) = started(&[]);
        signal(&running, name);
        assert!(ends_well(&mut running), "{name}");
    }
}

#[tokio::test]
async fn an_audit_trail_that_was_moved_away_goes_on_in_a_new_file_and_is_complete() {
    let directory = Directory::new("audit");
    let (file, old) = (directory.file("audit"), directory.file("audit.1"));
    let (mut running, url) = started(&["--audit", &file, "--trust-proxy"]);
    comes_and_goes(&url, Some("203.0.113.9, 198.51.100.7")).await;
    fs::rename(&file, &old).unwrap();
    signal(&running, "HUP");
    let begun = Instant::now();
    while !fs::exists(&file).unwrap() {
        assert!(begun.elapsed() < Duration::from_secs(10), "there is no new file");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    comes_and_goes(&url, None).await;
    signal(&running, "TERM");
    assert!(ends_well(&mut running));
    let [old, new] = [old, file].map(|file| fs::read_to_string(file).unwrap());
    assert_eq!((old.clone() + &new).matches(r#""event":"connect""#).count(), 2);
    assert_eq!((old.clone() + &new).matches(r#""event":"disconnect""#).count(), 2);
    assert!(old.contains(r#""peer":"198.51.100.7""#), "{old}");
    assert!(new.contains(r#""peer":"127.0.0.1:"#), "{new}");
}

#[tokio::test]
async fn an_audit_trail_is_written_to_its_end_before_the_process_ends() {
    const MESSAGES: usize = 1_500;
    let directory = Directory::new("slow-audit");
    let pipe = directory.file("audit");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Opened for both, so that neither side waits for the other; what is in it beyond its 64 KiB has to wait for a reader.
    let reader = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let (mut running, url) = started(&["--audit", &pipe]);
    let mut ada = connected(&url, None).await;
    for _ in 0..MESSAGES {
        ada.send("no envelope".into()).await.unwrap();
        let answer = ada.next().await.unwrap().unwrap();
        assert!(answer.is_text(), "{answer}");
    }
    signal(&running, "TERM");
    while ada.next().await.is_some_and(|frame| frame.is_ok()) {}
    // A process that does not wait for its lines has ended by then.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (ends, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(reader).lines().map(Result::unwrap);
        let mut messages = 0;
        for line in lines.take_while(|line| !line.contains(r#""event":"disconnect""#)) {
            messages += usize::from(line.contains(r#""event":"message""#));
        }
        ends.send(messages).unwrap();
    });
    let messages = ended.recv_timeout(Duration::from_secs(10)).expect("the trail has no end");
    assert!(ends_well(&mut running));
    assert_eq!(messages, MESSAGES);
}

#[tokio::test]
async fn who_says_that_it_is_a_proxy_is_believed_only_where_the_operator_says_so() {
    let directory = Directory::new("proxy");
    let file = directory.file("audit");
    let (mut running, url) = started(&["--audit", &file]);
    comes_and_goes(&url, Some("203.0.113.9")).await;
    signal(&running, "TERM");
    assert!(ends_well(&mut running));
    let trail = fs::read_to_string(file).unwrap();
    assert!(trail.contains(r#""peer":"127.0.0.1:"#) && !trail.contains("203.0.113.9"), "{trail}");
}

#[tokio::test]
async fn a_database_file_is_whole_once_the_process_has_ended() {
    let directory = Directory::new("copy");
    let (file, copy) = (directory.file("db.sqlite3"), directory.file("copy.sqlite3"));
    let (mut running, url) = started(&["--database", &file]);
    let made = reqwest::Client::new().post(format!("{url}dev/match"));
    let made = made.json(&serde_json::json!({ "match_id": "m1", "users": ["ada", "ben"] })).send().await.unwrap();
    assert!(made.status().is_success());
    signal(&running, "TERM");
    assert!(ends_well(&mut running));
    assert!(!fs::exists(format!("{file}-wal")).unwrap());
    fs::copy(&file, &copy).unwrap();
    let (_running, url) = started(&["--database", &copy]);
    let token: Value = reqwest::get(format!("{url}dev/token?user_id=ada")).await.unwrap().json().await.unwrap();
    let matches = reqwest::Client::new().get(format!("{url}api/matches"));
    let matches = matches.bearer_auth(token["token"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(matches.contains("m1"), "{matches}");
}

#[test]
fn an_epoch_that_clients_would_not_believe_is_refused() {
    let directory = Directory::new("epoch");
    let file = directory.file("db.sqlite3");
    let flags = |epoch: &'static str| ["--database", &file, "--epoch", epoch].map(str::to_owned);
    // The same flag may stay for later starts.
    for epoch in ["7", "7", "8"] {
        let (mut running, _) = started(&flags(epoch).each_ref().map(String::as_str));
        signal(&running, "TERM");
        assert!(ends_well(&mut running), "{epoch}");
    }
    let mut refused = Running(server().args(["--dev", "--port", "0"]).args(flags("7")).spawn().unwrap());
    assert!(!ends_well(&mut refused));
    let message = std::io::read_to_string(refused.0.stderr.take().unwrap()).unwrap();
    assert!(message.contains("it is in epoch 8 already; give a higher one, or none"), "{message}");
}

#[test]
fn options_that_would_break_everything_are_refused_and_no_password_is_repeated() {
    for (flags, said) in [
        (["--database", "postgresql+asyncpg://u:hunter2@127.0.0.1/x"], "a file for SQLite, or `postgres://"),
        (["--database", "Postgres://u:hunter2@127.0.0.1/x"], "a file for SQLite, or `postgres://"),
        (["--allow-origin", "https://example.com/"], "like https://example.com, without a path"),
        (["--allow-origin", "*"], "leave the option out to take any"),
        (["--allow-origin", "example.com"], "like https://example.com, without a path"),
        (["--max-connections", "0"], "must be at least 1"),
        (["--queue-frames", "0"], "must be at least 1"),
        (["--max-message-bytes", "0"], "must be at least 1"),
        (["--token-life-s", "0"], "0 is not in"),
        (["--www", "/nonexistent"], "/nonexistent is no directory"),
    ] {
        let output = server().args(["--dev", "--port", "0"]).args(flags).stdin(Stdio::null()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(said), "{flags:?}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
