//! Messages that the server cannot take: each is refused by its number, and those behind it go on.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Client, World};
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

const TAB: &str = "k3Zq8vXw2LmN4pRt";

async fn reliable(world: &World) -> (Client, Value) {
    let mut ada = world.connect("ada").await;
    let welcome = ada.hello(TAB, json!({})).await;
    (ada, welcome)
}

/// Message 1 is refused with this code and acknowledged, and message 2 is processed.
async fn is_refused(ada: &mut Client, code: &str) {
    ada.say(2, "echo", json!({ "n": 2 })).await;
    let before = ada.acked(2).await;
    let errors: Vec<&Value> = before.iter().filter(|event| event["type"] == "error").collect();
    let [error] = errors[..] else { panic!("{before:?}") };
    assert_eq!((&error["data"]["code"], &error["data"]["seq"]), (&json!(code), &json!(1)));
    assert!(before.iter().any(|event| event["type"] == "echo" && event["data"]["n"] == 2), "{before:?}");
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_is_refused_as_malformed_and_those_behind_it_go_on() {
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    for data in [r#"{"text":"\ud83d"}"#, r#"{"\udc00":1}"#, r#"{"x":1e999}"#, &format!(r#"{{"x":{deep}}}"#), "{\"x\":'"]
    {
        for frame in [
            format!(r#"{{"seq":1,"prev":0,"type":"echo","data":{data},"timestamp":0}}"#),
            format!(r#"{{"type":"echo","data":{data},"timestamp":0,"prev":0,"seq":1}}"#),
        ] {
            // Of a frame that is broken before its numbers nothing can be known.
            if data.ends_with('\'') && frame.ends_with("\"seq\":1}") {
                continue;
            }
            let world = World::new(&[]).await;
            let (mut ada, _) = reliable(&world).await;
            ada.send_text(&frame).await;
            is_refused(&mut ada, "malformed").await;
        }
    }
}

#[tokio::test]
async fn a_message_over_the_size_limit_is_refused_as_too_large_and_those_behind_it_go_on() {
    for length in [10_500, 63_000, 70_000, 1_000_000] {
        for first in [true, false] {
            let world = World::new(&[]).await;
            let (mut ada, _) = reliable(&world).await;
            let (before, behind) = if first { (r#""seq":1,"#, "") } else { ("", r#","seq":1"#) };
            let text = "x".repeat(length);
            ada.send_text(&format!(r#"{{{before}"type":"echo","data":{{"x":"{text}"}}{behind}}}"#)).await;
            is_refused(&mut ada, "too_large").await;
        }
    }
}

#[tokio::test]
async fn a_message_over_the_size_limit_may_come_in_fragments_with_control_frames_between_them() {
    let world = World::new(&[]).await;
    let (mut ada, _) = reliable(&world).await;
    let text = format!(r#"{{"type":"echo","data":{{"x":"{}"}},"seq":1}}"#, "é".repeat(100_000));
    let mut pieces = text.as_bytes().chunks(7_001).peekable();
    let mut opcode = OpCode::Data(Data::Text);
    while let Some(piece) = pieces.next() {
        let frame = Frame::message(piece.to_vec(), opcode, pieces.peek().is_none());
        ada.socket.send(Message::Frame(frame)).await.unwrap();
        opcode = OpCode::Data(Data::Continue);
        ada.socket.send(Message::Pong("".into())).await.unwrap();
    }
    is_refused(&mut ada, "too_large").await;
}

#[tokio::test]
async fn the_error_of_a_request_that_cannot_be_read_is_kept_for_its_client() {
    let world = World::new(&[]).await;
    let (mut ada, _) = reliable(&world).await;
    let stream = format!("client:{TAB}");
    ada.send_text(r#"{"type":"echo","data":{"x":"\ud83d"},"seq":1,"request":true}"#).await;
    ada.send_text(&format!(r#"{{"type":"echo","data":{{"x":"{}"}},"seq":2,"request":true}}"#, "x".repeat(90_000)))
        .await;
    let live = ada.acked(2).await;
    let codes = |events: &[Value]| -> Vec<Value> {
        events
            .iter()
            .filter(|event| event["stream"] == stream.as_str())
            .map(|event| event["data"]["code"].clone())
            .collect()
    };
    assert_eq!(codes(&live), ["malformed", "too_large"]);
}

#[tokio::test]
async fn a_message_beyond_the_hard_limit_or_without_a_number_closes_with_1009() {
    for (length, number) in [(90_000, ""), (1_100_000, r#","seq":1"#)] {
        let world = World::new(&[]).await;
        let (mut ada, _) = reliable(&world).await;
        let text = format!(r#"{{"type":"echo","data":{{"x":"{}"}}{number}}}"#, "x".repeat(length));
        // A server that has closed already does not take it all.
        let _ = ada.socket.send(Message::text(text)).await;
        assert_eq!(ada.closed().await.0, 1009);
    }
}

#[tokio::test]
async fn content_that_the_database_refuses_is_refused_as_internal_and_those_behind_it_go_on() {
    let file = std::env::temp_dir().join(format!("everwire-poison-{}.sqlite3", std::process::id()));
    let world = World::new(&["--database", file.to_str().unwrap()]).await;
    let mut ben = world.connect("ben").await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    let (mut ada, _) = reliable(&world).await;
    ada.send("join_match", json!({ "match_id": "m1" })).await;
    ada.next("user_online_status").await;
    // Behind the server's back.
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no'); END";
    rusqlite::Connection::open(&file).unwrap().execute(refuse, []).unwrap();
    ada.say(1, "send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    is_refused(&mut ada, "internal").await;
    ben.next("user_online_status").await;
    ben.settle().await;
    drop(world);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}

#[tokio::test]
async fn the_welcome_says_how_large_a_message_may_be_and_how_long_a_client_is_remembered() {
    let (_, welcome) = reliable(&World::new(&[]).await).await;
    assert_eq!((&welcome["max_bytes"], &welcome["remember_ms"]), (&json!(10_240), &json!(604_800_000)));
    let (_, welcome) = reliable(&World::new(&["--max-message-bytes", "500", "--client-age-s", "60"]).await).await;
    assert_eq!((&welcome["max_bytes"], &welcome["remember_ms"]), (&json!(500), &json!(60_000)));
}

#[tokio::test]
async fn a_hello_with_a_number_is_a_message_that_the_server_does_not_know() {
    for data in
        [json!({}), json!({ "versions": [1], "client_id": "another-client-id-of-ada" }), json!({ "versions": [9] })]
    {
        let world = World::new(&[]).await;
        let (mut ada, _) = reliable(&world).await;
        ada.say(1, "hello", data).await;
        is_refused(&mut ada, "unknown_type").await;
    }
}
