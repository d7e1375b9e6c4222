//! To which sessions and matches a user of the reliable mode may send after an absence.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::World;
use serde_json::{Value, json};

const TAB: &str = "k3Zq8vXw2LmN4pRt";
const NEXT_TAB: &str = "the-page-that-came-next";

fn to_session(id: &str) -> Value {
    json!({ "session_id": "s1", "message": { "id": id, "content": "hi" } })
}

fn to_match(content: &str) -> Value {
    json!({ "match_id": "m1", "content": content })
}

#[tokio::test]
async fn messages_of_a_page_that_is_gone_are_taken_before_the_next_page_has_joined() {
    let world = World::new(&[]).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    let mut ben = world.member("ben", "s1").await;
    ben.send("join_match", json!({ "match_id": "m1" })).await;
    ben.event("user_online_status").await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ada.say(2, "join_match", json!({ "match_id": "m1" })).await;
    ada.acked(2).await;
    drop(ada);
    world.until("ada is gone", async || world.server.connections() == 1).await;

    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(3, "message_sent", to_session("first")).await;
    ada.say(4, "send_message", to_match("second")).await;
    let before = ada.acked(4).await;
    assert!(before.iter().all(|event| event["type"] != "error"), "{before:?}");
    assert_eq!(ben.next("message_received").await["data"]["message"]["id"], "first");
    assert_eq!(ben.next("new_message").await["data"]["content"], "second");

    // The join that was made under one client id is good for the others.
    ada.hello(NEXT_TAB, json!({})).await;
    ada.say(1, "message_sent", to_session("third")).await;
    let before = ada.acked(1).await;
    assert!(before.iter().all(|event| event["type"] != "error"), "{before:?}");
    assert_eq!(ben.next("message_received").await["data"]["message"]["id"], "third");
}

#[tokio::test]
async fn without_a_number_or_a_join_nothing_is_taken() {
    let world = World::new(&[]).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ada.acked(1).await;
    drop(ada);
    world.until("ada is gone", async || world.server.connections() == 0).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    for (kind, data) in [
        ("message_sent", to_session("m1")),
        ("user_typing", json!({ "session_id": "s1", "isTyping": true })),
        ("send_message", to_match("hi")),
        ("read_message", json!({ "match_id": "m1", "message_id": "1" })),
    ] {
        ada.send(kind, data).await;
        assert_eq!(ada.next("error").await["data"]["code"], "not_joined", "{kind}");
    }
    // The same name is that of another room, and the other user's membership is not hers.
    ada.say(2, "send_message", json!({ "match_id": "s1", "content": "hi" })).await;
    ada.say(3, "send_message", to_match("hi")).await;
    ada.say(4, "read_message", json!({ "match_id": "m1", "message_id": "1" })).await;
    let refusals = ada.acked(4).await;
    let codes: Vec<_> = refusals.iter().filter(|event| event["type"] == "error").map(|e| &e["data"]["code"]).collect();
    assert_eq!(codes, ["not_joined"; 3]);
}

#[tokio::test]
async fn a_numbered_leave_holds_for_the_messages_behind_it() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ada.acked(1).await;
    drop(ada);
    world.until("ada is gone", async || world.server.connections() == 0).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(2, "message_sent", to_session("m1")).await;
    ada.say(3, "leave_session", json!({ "session_id": "s1" })).await;
    ada.say(4, "message_sent", to_session("m2")).await;
    let refusals = ada.acked(4).await;
    let seqs: Vec<_> = refusals.iter().filter(|event| event["type"] == "error").map(|e| &e["data"]["seq"]).collect();
    assert_eq!(seqs, [4]);
}

#[tokio::test]
async fn memberships_end_when_the_last_client_id_is_forgotten() {
    let world = World::new(&["--client-age-s", "0.3"]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ada.acked(1).await;
    drop(ada);
    tokio::time::sleep(Duration::from_millis(3000)).await;
    let mut ada = world.connect("ada").await;
    assert_eq!(ada.hello(TAB, json!({})).await["last"], 0);
    ada.say(1, "message_sent", to_session("m1")).await;
    assert_eq!(ada.acked(1).await[0]["data"]["code"], "not_joined");
}
