//! The binary: its flags, its one line of output, its errors.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/program.rs"]
mod program;

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use everwire_server::{Options, Server};
use futures_util::{SinkExt as _, StreamExt as _};
use program::{Running, ready_url, server};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn prints_the_ready_line_and_serves_the_page_with_its_paths() {
    let www = std::env::temp_dir().join(format!("everwire-server-www-{}", std::process::id()));
    std::fs::create_dir_all(&www).unwrap();
    std::fs::write(www.join("index.html"), "<title>page</title>").unwrap();
    std::fs::write(www.join("app.js"), "1").unwrap();
    let mut running = Running(server().args(["--dev", "--port", "0", "--www"]).arg(&www).spawn().unwrap());
    let url = ready_url(&mut running);
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with('/'), "{url}");
    let get = async |path: &str| reqwest::get(format!("{url}{path}")).await.unwrap();
    assert_eq!(get("app.js").await.text().await.unwrap(), "1");
    for path in ["", "chat/7"] {
        let response = get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.text().await.unwrap(), "<title>page</title>", "{path}");
    }
    assert_eq!(get("api/nothing").await.status(), 404);
    assert_eq!(get("dev/nothing").await.status(), 404);
    std::fs::remove_dir_all(&www).unwrap();
}

/// Kills the server without warning while messages are being stored, and looks for each that was announced.
#[tokio::test]
async fn nothing_that_was_announced_is_lost_when_the_process_is_killed() {
    const SECRET: &str = "a secret that outlives the process";
    let file = std::env::temp_dir().join(format!("everwire-server-kill-{}.sqlite3", std::process::id()));
    let start = || {
        let mut command = server();
        command.args(["--dev", "--port", "0", "--rate-limit-per-minute", "0", "--secret", SECRET, "--database"]);
        command.arg(&file).stderr(Stdio::null());
        Running(command.spawn().unwrap())
    };
    let mut running = start();
    let url = ready_url(&mut running);
    let http = reqwest::Client::new();
    let body = json!({ "match_id": "m1", "users": ["ada", "ben"] });
    http.post(format!("{url}dev/match")).json(&body).send().await.unwrap();
    let token: Value = reqwest::get(format!("{url}dev/token?user_id=ada")).await.unwrap().json().await.unwrap();
    let token = token["token"].as_str().unwrap().to_owned();

    let ws = format!("{}api/ws?token={token}", url.replacen("http", "ws", 1));
    let (mut ada, _) = tokio_tungstenite::connect_async(ws).await.unwrap();
    let frame = |kind: &str, data: Value| Message::text(json!({ "type": kind, "data": data }).to_string());
    ada.send(frame("join_match", json!({ "match_id": "m1" }))).await.unwrap();
    for n in 0..2000 {
        let data = json!({ "match_id": "m1", "content": format!("{n}") });
        ada.feed(frame("send_message", data)).await.unwrap();
    }
    ada.flush().await.unwrap();
    let mut announced = Vec::new();
    while let Some(Ok(Message::Text(text))) = ada.next().await {
        let event: Value = serde_json::from_str(&text).unwrap();
        if event["type"] == "new_message" {
            announced.push(event["data"]["content"].clone());
        }
        if announced.len() == 300 {
            running.0.kill().unwrap();
        }
    }
    assert!(announced.len() >= 300);

    drop(running);
    let mut running = start();
    let url = ready_url(&mut running);
    let mut stored = Vec::new();
    let mut before = String::new();
    loop {
        let page = http.get(format!("{url}api/matches/m1/messages?limit=200{before}")).bearer_auth(&token);
        let page: Value = page.send().await.unwrap().json().await.unwrap();
        stored.extend(page["messages"].as_array().unwrap().iter().rev().map(|message| message["content"].clone()));
        let Some(next) = page["next_before"].as_str() else { break };
        before = format!("&before={next}");
    }
    stored.reverse();
    assert!(stored.len() >= announced.len());
    assert_eq!(stored[..announced.len()], announced);
    drop(running);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn on_sigterm_it_closes_with_1012_ends_well_and_has_logged_no_token() {
    let mut command = server();
    command.args(["--dev", "--port", "0", "--log-format", "json"]).env("RUST_LOG", "trace");
    let mut running = Running(command.spawn().unwrap());
    // A full pipe would hold the server up.
    let mut stderr = running.0.stderr.take().unwrap();
    let logs = std::thread::spawn(move || {
        let mut logs = String::new();
        stderr.read_to_string(&mut logs).map(|_| logs)
    });
    let url = ready_url(&mut running);
    let token: Value = reqwest::get(format!("{url}dev/token?user_id=ada")).await.unwrap().json().await.unwrap();
    let token = token["token"].as_str().unwrap();
    let ws = format!("{}api/ws?token={token}", url.replacen("http", "ws", 1));
    let (mut ada, _) = tokio_tungstenite::connect_async(ws).await.unwrap();
    ada.next().await.unwrap().unwrap();
    for kind in ["join_session", "leave_session"] {
        let frame = json!({ "type": kind, "data": { "session_id": "s1" } });
        ada.send(Message::text(frame.to_string())).await.unwrap();
    }
    // The request below would otherwise overtake what the socket still carries.
    ada.send(Message::text(json!({ "type": "ping", "data": {} }).to_string())).await.unwrap();
    while !ada.next().await.unwrap().unwrap().to_text().unwrap().contains("pong") {}
    let push = json!({ "type": "notification", "user_id": "ada" });
    reqwest::Client::new().post(format!("{url}dev/push")).json(&push).send().await.unwrap();
    while !ada.next().await.unwrap().unwrap().to_text().unwrap().contains("notification") {}
    assert!(Command::new("kill").arg(running.0.id().to_string()).status().unwrap().success());
    let Message::Close(Some(frame)) = ada.next().await.unwrap().unwrap() else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1012);
    assert!(ada.next().await.is_none());
    assert!(running.0.wait().unwrap().success());
    let logs = logs.join().unwrap().unwrap();
    assert!(logs.lines().count() > 10 && !logs.contains(token));
    assert!(logs.contains("/api/ws?token=***"), "{logs}");
    for event in ["connected", "joined", "left", "pushed", "disconnected"] {
        let is_it = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["level"] == "INFO" && line["message"] == event
        };
        assert!(logs.lines().any(is_it), "{event} is not in {logs}");
    }
    for line in logs.lines() {
        assert!(serde_json::from_str::<Value>(line).unwrap()["level"].is_string(), "{line}");
    }
}

#[test]
fn without_dev_a_secret_is_needed() {
    let output = server().args(["--port", "0"]).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("EVERWIRE_JWT_SECRET"), "{message}");
    assert!(output.stdout.is_empty());
}

#[test]
fn the_secret_can_come_from_the_environment_and_is_not_shown() {
    let mut command = server();
    command.args(["--port", "0"]).env("EVERWIRE_JWT_SECRET", "from-the-environment");
    let mut running = Running(command.spawn().unwrap());
    ready_url(&mut running);
    let mut stderr = running.0.stderr.take().unwrap();
    drop(running);
    let mut logs = String::new();
    stderr.read_to_string(&mut logs).unwrap();
    assert!(!logs.contains("from-the-environment"), "{logs}");
}

#[tokio::test]
async fn an_environment_of_the_originals_starts_it_as_it_is() {
    let mut command = server();
    command.args(["--port", "0"]).stderr(Stdio::null()).env("EVERWIRE_JWT_SECRET", "");
    for (name, value) in [
        ("JWT_SECRET_KEY", "the secret of the original"),
        ("JWT_ALGORITHM", "HS256"),
        ("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "30"),
        ("WS_HEARTBEAT_INTERVAL", "30"),
        ("WS_MAX_MESSAGE_SIZE", "100"),
        ("WS_CONNECTION_TIMEOUT", "300"),
        ("WS_RATE_LIMIT_MESSAGES", ""),
        ("CORS_ORIGIN", "https://app.example"),
    ] {
        command.env(name, value);
    }
    let mut running = Running(command.spawn().unwrap());
    let url = ready_url(&mut running);
    // Another server with the same secret gives tokens for this one.
    let flags = ["--dev", "--port", "0", "--secret", "the secret of the original"];
    let issuer = Server::start(Options::from_flags(flags).unwrap()).await.unwrap();
    let token: Value =
        reqwest::get(format!("{}dev/token?user_id=ada", issuer.url())).await.unwrap().json().await.unwrap();
    let token = token["token"].as_str().unwrap();
    let ws = format!("{}api/ws?token={token}", url.replacen("http", "ws", 1));
    let (mut ada, _) = tokio_tungstenite::connect_async(ws).await.unwrap();
    assert!(ada.next().await.unwrap().unwrap().is_text());
    ada.send(Message::text(json!({ "type": "echo", "data": { "x": "x".repeat(100) } }).to_string())).await.unwrap();
    let Message::Close(Some(frame)) = ada.next().await.unwrap().unwrap() else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1009);
    let mut wrong = server();
    let output = wrong.args(["--dev", "--port", "0"]).env("JWT_ALGORITHM", "RS256").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("HS256 only"));
}

#[test]
fn a_port_in_use_is_said_with_the_address() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = server().args(["--dev", "--port", &port]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains(&format!("127.0.0.1:{port}")));
}
