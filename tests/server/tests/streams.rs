//! The reliable mode from server to client: stored events, replays, history, receipts.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::{Client, World};
use serde_json::{Value, json};

const TAB: &str = "k3Zq8vXw2LmN4pRt";
const TAB_STREAM: &str = "client:k3Zq8vXw2LmN4pRt";
const OTHER_TAB: &str = "another-tab-of-the-same";

async fn push(world: &World, user: &str, n: u64) -> Value {
    world.post("/dev/push", json!({ "type": "notification", "data": { "n": n }, "user_id": user })).await
}

async fn hello(world: &World, user: &str, client_id: &str, streams: Value) -> (Client, Value) {
    let mut client = world.connect(user).await;
    let welcome = client.hello(client_id, streams).await;
    (client, welcome)
}

fn place(event: &Value) -> (&str, u64) {
    (event["stream"].as_str().unwrap_or("none"), event["offset"].as_u64().unwrap_or(0))
}

#[tokio::test]
async fn every_connection_of_the_user_gets_the_place_of_an_event_and_other_users_none() {
    let world = World::new(&[]).await;
    let (mut tab, _) = hello(&world, "ada", TAB, json!({})).await;
    let (mut other_tab, _) = hello(&world, "ada", OTHER_TAB, json!({})).await;
    let mut plain_tab = world.connect("ada").await;
    let mut ben = world.connect("ben").await;
    assert_eq!(push(&world, "ada", 1).await["delivered"], 3);
    assert_eq!(push(&world, "ben", 1).await["delivered"], 1);
    for client in [&mut tab, &mut other_tab, &mut plain_tab] {
        assert_eq!(place(&client.any().await), ("user", 1));
    }
    let plain = ben.any().await;
    assert!(plain.get("stream").is_none() && plain.get("offset").is_none(), "{plain}");
}

#[tokio::test]
async fn momentary_events_are_not_stored() {
    let world = World::new(&[]).await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    for kind in ["typing_indicator", "user_online_status", "pong", "error", "ack"] {
        world.post("/dev/push", json!({ "type": kind, "data": { "message": "" }, "user_id": "ada" })).await;
        assert_eq!(ada.any().await.get("offset"), None, "{kind}");
    }
    for (offset, kind) in (1..).zip(["message_received", "session_update", "something_else"]) {
        world.post("/dev/push", json!({ "type": kind, "user_id": "ada" })).await;
        assert_eq!(place(&ada.any().await), ("user", offset), "{kind}");
    }
    world.post("/dev/emotion", json!({ "user_id": "ada" })).await;
    assert_eq!(place(&ada.any().await), ("user", 4));
}

#[tokio::test]
async fn the_history_is_bounded_and_what_it_has_forgotten_is_named() {
    let world = World::new(&["--history-events", "5"]).await;
    let (ada, _) = hello(&world, "ada", TAB, json!({})).await;
    drop(ada);
    for n in 1..=12 {
        push(&world, "ada", n).await;
    }
    for position in [0, 6] {
        let (mut ada, welcome) = hello(&world, "ada", TAB, json!({ "user": position })).await;
        assert_eq!(welcome["streams"]["user"], 7);
        for n in 8..=12 {
            let event = ada.any().await;
            assert_eq!((place(&event), &event["data"]["n"]), (("user", n), &json!(n)));
        }
        ada.settle().await;
    }
    let (mut ada, welcome) = hello(&world, "ada", TAB, json!({ "user": 10 })).await;
    assert_eq!(welcome["streams"]["user"], 10);
    assert_eq!(place(&ada.any().await), ("user", 11));
    let (mut fresh, welcome) = hello(&world, "ada", OTHER_TAB, json!({})).await;
    assert_eq!(welcome["streams"]["user"], 12);
    fresh.settle().await;
    let text = reqwest::get(world.url("/metrics")).await.unwrap().text().await.unwrap();
    assert!(text.contains("everwire_gaps_total 2"), "{text}");
}

#[tokio::test]
async fn the_oldest_events_are_forgotten_on_command_and_it_says_up_to_which() {
    let world = World::new(&[]).await;
    let (ada, _) = hello(&world, "ada", TAB, json!({})).await;
    drop(ada);
    for n in 1..=3 {
        push(&world, "ada", n).await;
    }
    let upto = world.positions.beginning("ada", "user") + 2;
    let forgotten = world.post("/dev/forget", json!({ "user_id": "ada", "events": 2 })).await;
    assert_eq!(forgotten, json!({ "forgotten": 2, "upto": upto }));
    let (mut ada, welcome) = hello(&world, "ada", TAB, json!({ "user": 0 })).await;
    assert_eq!(welcome["streams"]["user"], 2);
    assert_eq!(ada.event("notification").await["n"], 3);
    let again = world.post("/dev/forget", json!({ "user_id": "ada", "upto": upto + 1 })).await;
    assert_eq!(again["forgotten"], 1);
}

#[tokio::test]
async fn old_events_are_forgotten() {
    let world = World::new(&["--history-age-s", "0.2"]).await;
    let (ada, _) = hello(&world, "ada", TAB, json!({})).await;
    drop(ada);
    push(&world, "ada", 1).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let (_ada, welcome) = hello(&world, "ada", TAB, json!({ "user": 0 })).await;
    assert_eq!(welcome["streams"]["user"], 1);
}

#[tokio::test]
async fn a_stream_that_was_forgotten_begins_again_beyond_every_offset_that_it_has_had() {
    let world = World::new(&["--client-age-s", "0.3"]).await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    for n in 1..=3 {
        push(&world, "ada", n).await;
        ada.event("notification").await;
    }
    drop(ada);
    tokio::time::sleep(Duration::from_millis(3000)).await;
    let (mut ada, welcome) = hello(&world, "ada", TAB, json!({ "user": 3, TAB_STREAM: 0 })).await;
    let position = welcome["streams"]["user"].as_u64().unwrap();
    assert!(position > 3, "{welcome}");
    push(&world, "ada", 4).await;
    assert_eq!(place(&ada.any().await), ("user", position + 1));
}

#[tokio::test]
async fn a_long_history_comes_whole_through_a_short_queue() {
    let world = World::new(&["--queue-frames", "8"]).await;
    let (ada, _) = hello(&world, "ada", TAB, json!({})).await;
    drop(ada);
    for n in 1..=200 {
        push(&world, "ada", n).await;
    }
    let (mut ada, welcome) = hello(&world, "ada", TAB, json!({ "user": 50 })).await;
    assert_eq!(welcome["streams"]["user"], 50);
    for offset in 51..=200 {
        assert_eq!(place(&ada.any().await), ("user", offset));
    }
    ada.settle().await;
}

#[tokio::test]
async fn who_reads_slowly_gets_every_event_all_the_same() {
    let world = World::new(&["--queue-frames", "8"]).await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    for n in 1..=500 {
        push(&world, "ada", n).await;
    }
    for offset in 1..=500 {
        assert_eq!(place(&ada.any().await), ("user", offset));
    }
    ada.settle().await;
}

#[tokio::test]
async fn an_event_longer_than_the_queue_comes_alone() {
    let world = World::new(&["--queue-bytes", "10000"]).await;
    let (ada, _) = hello(&world, "ada", TAB, json!({})).await;
    drop(ada);
    let text = "x".repeat(50_000);
    for n in 1..=3 {
        let data = json!({ "n": n, "text": text });
        world.post("/dev/push", json!({ "type": "notification", "data": data, "user_id": "ada" })).await;
        push(&world, "ada", n).await;
    }
    let (mut ada, _) = hello(&world, "ada", TAB, json!({ "user": 0 })).await;
    for offset in 1..=6 {
        assert_eq!(place(&ada.any().await), ("user", offset));
    }
    ada.settle().await;
}

#[tokio::test]
async fn a_connection_is_told_when_its_next_events_are_forgotten() {
    let world = World::new(&["--queue-frames", "8", "--history-events", "20"]).await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    // More than all the buffers between here and there can hold.
    let text = "x".repeat(100_000);
    for n in 1..=200 {
        let data = json!({ "n": n, "text": text });
        world.post("/dev/push", json!({ "type": "notification", "data": data, "user_id": "ada" })).await;
    }
    let mut position = 0;
    let mut gaps = 0;
    while position < 200 {
        let event = ada.any().await;
        if event["type"] == "stream" {
            assert_eq!(event["data"]["stream"], "user");
            let offset = event["data"]["offset"].as_u64().unwrap();
            assert!(offset > position);
            position = offset;
            gaps += 1;
        } else {
            assert_eq!(place(&event), ("user", position + 1));
            position += 1;
        }
    }
    assert!(gaps > 0);
    ada.settle().await;
}

/// A client that comes and goes while others push: every offset once, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replays_and_live_events_never_mix() {
    const EVENTS: u64 = 1200;
    let world = World::new(&["--history-events", "5000", "--rate-limit-per-minute", "0", "--queue-frames", "64"]).await;
    let (ada, _) = hello(&world, "ada", TAB, json!({})).await;
    drop(ada);
    let reading = async {
        let mut position = 0;
        let mut connections = 0;
        while position < EVENTS {
            let (mut ada, welcome) = hello(&world, "ada", TAB, json!({ "user": position })).await;
            assert_eq!(welcome["streams"]["user"], position);
            connections += 1;
            for _ in 0..fastrand::u64(..60) {
                if position == EVENTS {
                    break;
                }
                let event = ada.any().await;
                assert_eq!(place(&event), ("user", position + 1));
                position += 1;
            }
        }
        connections
    };
    let pushing = async {
        let pushers = (0..4).map(|pusher| {
            let world = &world;
            async move {
                for n in 0..EVENTS / 4 {
                    push(world, "ada", pusher * EVENTS + n).await;
                }
            }
        });
        futures_util::future::join_all(pushers).await;
    };
    let (connections, _) = tokio::join!(reading, pushing);
    assert!(connections > 10, "{connections}");
}

#[tokio::test]
async fn a_message_is_delivered_when_another_member_has_it_and_only_once() {
    let world = World::new(&[]).await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ada.acked(1).await;
    let (mut ben, _) = hello(&world, "ben", TAB, json!({})).await;
    let (mut bens_other, _) = hello(&world, "ben", OTHER_TAB, json!({})).await;
    ben.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ben.acked(1).await;
    let message = |id: &str| json!({ "session_id": "s1", "message": { "id": id, "content": "hi" } });
    ada.say(2, "message_sent", message("m1")).await;
    for client in [&mut ben, &mut bens_other] {
        assert_eq!(client.next("message_received").await["data"]["message"]["id"], "m1");
    }
    let receipt = ada.next("receipt").await;
    assert_eq!((&receipt["data"], place(&receipt)), (&json!({ "seq": 2, "status": "delivered" }), (TAB_STREAM, 1)));
    ada.settle().await;

    // While everyone else is away nothing is delivered; then it is, when one of them is back.
    drop((ben, bens_other));
    world.until("ben is gone", async || world.server.connections() == 1).await;
    ada.say(3, "message_sent", message("m2")).await;
    ada.acked(3).await;
    ada.settle().await;
    let (mut ben, welcome) = hello(&world, "ben", TAB, json!({ "user": 1 })).await;
    assert_eq!(welcome["streams"]["user"], 1);
    assert_eq!(ben.any().await["data"]["message"]["id"], "m2");
    assert_eq!(ada.event("receipt").await, json!({ "seq": 3, "status": "delivered" }));
    ada.settle().await;
}

#[tokio::test]
async fn a_message_reaches_a_plain_member_after_it_is_stored() {
    let world = World::new(&[]).await;
    let mut ben = world.member("ben", "s1").await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ada.say(2, "message_sent", json!({ "session_id": "s1", "message": { "id": "m1", "content": "hi" } })).await;
    let event = ben.any().await;
    assert_eq!((&event["type"], place(&event)), (&json!("message_received"), ("none", 0)));
    assert_eq!(ada.next("receipt").await["data"], json!({ "seq": 2, "status": "delivered" }));
    ben.send("message_sent", json!({ "session_id": "s1", "message": { "id": "m2", "content": "ho" } })).await;
    assert_eq!(place(&ada.next("message_received").await), ("user", 1));
}

#[tokio::test]
async fn reading_a_message_is_news_for_who_sent_it_and_those_before_it() {
    let world = World::new(&[]).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    let mut ben = world.connect("ben").await;
    ben.send("join_match", json!({ "match_id": "m1" })).await;
    ben.event("user_online_status").await;
    ada.say(1, "join_match", json!({ "match_id": "m1" })).await;
    ada.acked(1).await;
    for seq in 2..=3 {
        ada.say(seq, "send_message", json!({ "match_id": "m1", "content": "hi" })).await;
        assert_eq!(ada.next("receipt").await["data"], json!({ "seq": seq, "status": "delivered" }));
    }
    let ids = [ben.next("new_message").await, ben.next("new_message").await].map(|event| event["data"]["id"].clone());
    ben.send("read_message", json!({ "match_id": "m1", "message_id": ids[1] })).await;
    assert_eq!(ada.next("message_read").await["data"]["message_id"], ids[1]);
    for seq in 2..=3 {
        assert_eq!(ada.event("receipt").await, json!({ "seq": seq, "status": "read" }));
    }
    ben.send("read_message", json!({ "match_id": "m1", "message_id": ids[0] })).await;
    ben.next("message_read").await;
    ben.settle().await;
    ada.settle().await;
}

#[tokio::test]
async fn a_reader_who_never_had_the_event_has_the_message_all_the_same() {
    let world = World::new(&[]).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    ada.say(1, "join_match", json!({ "match_id": "m1" })).await;
    ada.ask(2, "send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    let id = ada.next("reply").await["data"]["result"]["id"].clone();
    let (mut ben, _) = hello(&world, "ben", TAB, json!({})).await;
    ben.say(1, "join_match", json!({ "match_id": "m1" })).await;
    ben.say(2, "read_message", json!({ "match_id": "m1", "message_id": id })).await;
    assert_eq!(ada.next("receipt").await["data"], json!({ "seq": 2, "status": "read" }));
    ada.settle().await;
}

#[tokio::test]
async fn leaving_a_session_ends_its_events() {
    let world = World::new(&[]).await;
    let mut ben = world.member("ben", "s1").await;
    let (mut ada, _) = hello(&world, "ada", TAB, json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ada.say(2, "leave_session", json!({ "session_id": "s1" })).await;
    ada.acked(2).await;
    ben.send("message_sent", json!({ "session_id": "s1", "message": { "id": "m1", "content": "hi" } })).await;
    ben.settle().await;
    ada.settle().await;
}
