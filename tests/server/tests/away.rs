//! A database file that cannot be written for a while, or at all: nothing is acknowledged that is not stored, and the server goes on by
//! itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{
    process::{Command, Output},
    time::Duration,
};

use common::mortal::{Mortal, Socket, next};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

async fn echo(socket: &mut Socket, seq: u64) {
    let frame = json!({ "type": "echo", "data": { "n": seq }, "seq": seq });
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

async fn acked(socket: &mut Socket, seq: u64) {
    while next(socket).await.expect("ended")["data"]["seq"] != seq {}
}

/// The code with which the server ends the connection, before which it must acknowledge nothing beyond `last`.
async fn closed(socket: &mut Socket, last: u64) -> u16 {
    loop {
        match timeout(LATEST_CLOSE, socket.next()).await.expect("still open").unwrap().unwrap() {
            Message::Close(Some(frame)) => return frame.code.into(),
            Message::Text(text) => {
                let event: Value = serde_json::from_str(&text).unwrap();
                assert!(event["type"] != "ack" || event["data"]["seq"] == last, "{event}");
            }
            _ => {}
        }
    }
}

async fn processed(server: &Mortal) -> Vec<Value> {
    let processed = server.get("dev/processed?user_id=ada").await;
    processed.as_array().unwrap().iter().map(|message| message["data"]["n"].clone()).collect()
}

#[tokio::test]
async fn a_file_that_another_process_has_locked_delays_messages_and_their_acknowledgements() {
    let mut server = Mortal::new("locked");
    server.start();
    let (mut ada, _) = server.hello("ada", json!({})).await;
    let other = rusqlite::Connection::open(server.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    echo(&mut ada, 1).await;
    ada.send(Message::text(r#"{"type":"ping","data":{}}"#)).await.unwrap();
    assert_eq!(next(&mut ada).await.unwrap()["type"], "pong");
    other.execute_batch("COMMIT").unwrap();
    acked(&mut ada, 1).await;
    assert_eq!(processed(&server).await, [1]);
}

#[tokio::test]
async fn a_file_that_stays_locked_ends_connections_and_what_they_had_under_way_comes_again() {
    let mut server = Mortal::new("stays-locked");
    server.start();
    let (mut ada, _) = server.hello("ada", json!({})).await;
    let other = rusqlite::Connection::open(server.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    echo(&mut ada, 1).await;
    assert_eq!(closed(&mut ada, 0).await, 1011);
    other.execute_batch("COMMIT").unwrap();
    let (mut ada, welcome) = server.hello("ada", json!({})).await;
    assert_eq!(welcome["last"], 0);
    echo(&mut ada, 1).await;
    acked(&mut ada, 1).await;
    assert_eq!(processed(&server).await, [1]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_takes_no_more_ends_connections_and_goes_on_when_there_is_room_again() {
    let mut server = Mortal::new("full");
    server.start_heedless_of_file_limits();
    let (mut ada, _) = server.hello("ada", json!({})).await;
    echo(&mut ada, 1).await;
    acked(&mut ada, 1).await;

    limit_files(&server, "4096:");
    echo(&mut ada, 2).await;
    // Which says nothing about the message, however often it comes.
    assert_eq!(closed(&mut ada, 1).await, 1013);
    let push = json!({ "user_id": "ada", "type": "notification", "data": {} });
    assert_eq!(server.try_post("dev/push", push.clone()).await, 503);
    assert!(server.hello_as("ada", "another-tab-of-the-same", json!({})).await.is_none(), "a welcome");

    limit_files(&server, "unlimited:");
    let (mut ada, welcome) = server.hello("ada", json!({})).await;
    assert_eq!(welcome["last"], 1);
    echo(&mut ada, 2).await;
    acked(&mut ada, 2).await;
    server.post("dev/push", push).await;
    assert_eq!(processed(&server).await, [1, 2]);
}

/// How large a file of the server may become, which a full disk does as well; only the soft limit, so that it can be taken back.
#[cfg(target_os = "linux")]
fn limit_files(server: &Mortal, bytes: &str) {
    let arguments = [format!("--pid={}", server.pid()), format!("--fsize={bytes}")];
    assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_a_clear_error_at_the_start() {
    let mut server = Mortal::new("none");
    std::fs::write(server.file(), "the shopping list, which is no database").unwrap();
    let Output { status, stderr, .. } = server.end_at_the_start();
    let said = String::from_utf8(stderr).unwrap();
    assert!(!status.success(), "{said}");
    assert!(said.contains("file is not a database"), "{said}");
    assert_eq!(std::fs::read(server.file()).unwrap(), b"the shopping list, which is no database");
}

/// A file that is locked is waited for, and this is beyond that.
const LATEST_CLOSE: Duration = Duration::from_secs(25);
