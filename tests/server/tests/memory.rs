//! What the server remembers of clients, and what it does not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::World;
use serde_json::json;

const TAB: &str = "k3Zq8vXw2LmN4pRt";
const TAB_STREAM: &str = "client:k3Zq8vXw2LmN4pRt";

#[tokio::test]
async fn a_thousand_newer_client_ids_do_not_make_the_server_process_a_message_again() {
    let world = World::new(&["--rate-limit-per-minute", "0"]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    for seq in 1..=3 {
        ada.ask(seq, "echo", json!({ "n": seq })).await;
    }
    ada.acked(3).await;
    drop(ada);
    world.until("ada is gone", async || world.server.connections() == 0).await;
    let mut others = world.connect("ada").await;
    for n in 0..1001 {
        let client_id = format!("a-page-that-came-later-{n}");
        let hello = json!({ "versions": [1], "client_id": client_id }).to_string();
        others.send_text(&format!(r#"{{"type":"hello","data":{hello}}}"#)).await;
        others.next("welcome").await;
    }
    let mut ada = world.connect("ada").await;
    let welcome = ada.hello(TAB, json!({ TAB_STREAM: 1 })).await;
    assert_eq!(welcome["last"], 3);
    ada.say(3, "echo", json!({ "n": 3 })).await;
    ada.acked(3).await;
    assert_eq!(world.get("/dev/processed?user_id=ada").await.as_array().unwrap().len(), 3);
    // The replies are forgotten, and that is said.
    assert!(welcome["streams"][TAB_STREAM].as_u64().unwrap() > 3, "{welcome}");
}

#[tokio::test]
async fn the_events_of_a_user_take_no_more_bytes_than_they_may() {
    let world = World::new(&["--history-bytes-per-user", "100000"]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    drop(ada);
    let text = "x".repeat(10_000);
    for n in 1..=50 {
        let data = json!({ "n": n, "text": text });
        world.post("/dev/push", json!({ "type": "notification", "data": data, "user_id": "ada" })).await;
    }
    let mut ada = world.connect("ada").await;
    let welcome = ada.hello(TAB, json!({ "user": 0 })).await;
    let position = welcome["streams"]["user"].as_u64().unwrap();
    assert!((40..45).contains(&position), "{welcome}");
    for offset in position + 1..=50 {
        assert_eq!(ada.event("notification").await["n"], offset);
    }
}

#[tokio::test]
async fn a_client_that_is_there_for_longer_than_it_is_remembered_is_not_forgotten() {
    let world = World::new(&["--client-age-s", "0.3"]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "echo", json!({})).await;
    ada.acked(1).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    ada.say(2, "echo", json!({})).await;
    ada.acked(2).await;
}
