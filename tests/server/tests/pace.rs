//! Messages of the reliable mode over the rate limit: they wait.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, World};
use serde_json::{Value, json};

const TAB: &str = "k3Zq8vXw2LmN4pRt";

/// So many messages at once, then one in 100 ms.
const AT_ONCE: u64 = 600;
const FLAGS: [&str; 2] = ["--rate-limit-per-minute", "600"];

/// A connection whose user has used up what may be sent at once.
async fn exhausted(world: &World, client_id: &str) -> Client {
    let mut ada = world.connect("ada").await;
    ada.hello(client_id, json!({})).await;
    for seq in 1..=AT_ONCE {
        ada.say(seq, "echo", json!({ "n": seq })).await;
    }
    while ada.next("ack").await["data"]["seq"] != AT_ONCE {}
    ada
}

async fn processed(world: &World) -> Vec<Value> {
    let processed = world.get("/dev/processed?user_id=ada").await;
    processed.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_message_over_the_limit_waits_and_none_is_refused() {
    let world = World::new(&FLAGS).await;
    let mut ada = exhausted(&world, TAB).await;
    let started = Instant::now();
    for seq in AT_ONCE + 1..=AT_ONCE + 30 {
        ada.say(seq, "echo", json!({ "n": seq })).await;
    }
    let mut acked = AT_ONCE;
    let mut longest = Duration::ZERO;
    let mut heard = Instant::now();
    while acked < AT_ONCE + 30 {
        let event = ada.any().await;
        assert_ne!(event["type"], "error", "{event}");
        if event["type"] == "ack" {
            acked = event["data"]["seq"].as_u64().unwrap();
            longest = longest.max(heard.elapsed());
            heard = Instant::now();
        }
    }
    let took = started.elapsed();
    assert!(took > Duration::from_millis(1_500), "{took:?}");
    assert!(longest < Duration::from_secs(1), "acknowledgements come one by one: {longest:?}");
    let processed = processed(&world).await;
    assert!(processed.iter().map(|message| message["seq"].as_u64().unwrap()).eq(1..=AT_ONCE + 30));
    assert!(processed.iter().all(|message| message.get("refused").is_none()));
}

#[tokio::test]
async fn pings_are_answered_while_a_whole_window_waits() {
    let world = World::new(&FLAGS).await;
    let mut ada = exhausted(&world, TAB).await;
    for seq in AT_ONCE + 1..=AT_ONCE + 128 {
        ada.say(seq, "echo", json!({})).await;
    }
    let asked = Instant::now();
    ada.send("ping", json!({})).await;
    ada.next("pong").await;
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert!(processed(&world).await.len() < AT_ONCE as usize + 64);
}

#[tokio::test]
async fn what_has_no_number_does_not_overtake_what_waits_and_joins_come_before_that() {
    let world = World::new(&FLAGS).await;
    let mut ada = exhausted(&world, TAB).await;
    let message = json!({ "session_id": "s1", "message": { "id": "m1", "content": "hi" } });
    ada.send("join_session", json!({ "session_id": "s1" })).await;
    for n in 1..=5 {
        ada.say(AT_ONCE + n, "message_sent", message.clone()).await;
    }
    for kind in ["leave_session", "join_session"] {
        ada.send(kind, json!({ "session_id": "s1" })).await;
        let error = ada.next("error").await;
        assert_eq!((&error["data"]["code"], &error["data"]["about"]), (&json!("rate_limited"), &json!(kind)));
    }
    ada.say(AT_ONCE + 6, "message_sent", message).await;
    let before = ada.acked(AT_ONCE + 6).await;
    assert!(before.iter().all(|event| event["type"] != "error"), "{before:?}");
}

#[tokio::test]
async fn connections_of_a_user_take_turns() {
    let world = World::new(&FLAGS).await;
    let mut first = exhausted(&world, TAB).await;
    let mut second = world.connect("ada").await;
    second.hello("another-tab-of-the-same", json!({})).await;
    for seq in 1..=120 {
        first.say(AT_ONCE + seq, "echo", json!({})).await;
    }
    let of_first = async || processed(&world).await.iter().filter(|message| message["client_id"] == TAB).count();
    let before = of_first().await;
    for seq in 1..=5 {
        second.say(seq, "echo", json!({})).await;
    }
    second.acked(5).await;
    let meanwhile = of_first().await - before;
    assert!(meanwhile < 25, "{meanwhile} after {before}");
}

#[tokio::test]
async fn another_connection_takes_over_what_waits() {
    let world = World::new(&FLAGS).await;
    let mut first = exhausted(&world, TAB).await;
    for seq in AT_ONCE + 1..=AT_ONCE + 50 {
        first.say(seq, "echo", json!({})).await;
    }
    first.send("ping", json!({})).await;
    first.next("pong").await;
    let mut second = world.connect("ada").await;
    let last = second.hello(TAB, json!({})).await["last"].as_u64().unwrap();
    assert!(last < AT_ONCE + 50, "{last}");
    for seq in last + 1..=last + 5 {
        second.say(seq, "echo", json!({})).await;
    }
    second.acked(last + 5).await;
    let processed = processed(&world).await;
    assert!(processed.iter().map(|message| message["seq"].as_u64().unwrap()).eq(1..=last + 5));
}

#[tokio::test]
async fn a_hello_before_all_is_acknowledged_closes_with_4400() {
    let world = World::new(&FLAGS).await;
    let mut ada = exhausted(&world, TAB).await;
    for seq in AT_ONCE + 1..=AT_ONCE + 20 {
        ada.say(seq, "echo", json!({})).await;
    }
    ada.send("hello", json!({ "versions": [1], "client_id": "another-tab-of-the-same" })).await;
    loop {
        match ada.frame().await {
            tokio_tungstenite::tungstenite::Message::Close(Some(close)) => {
                assert_eq!(u16::from(close.code), 4400);
                break;
            }
            frame => assert!(frame.is_text(), "{frame:?}"),
        }
    }
}
