//! The CoLabMatch events, through a real socket, with a real database.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Instant;

use common::{Client, World};
use serde_json::{Value, json};

/// A world in which ada and ben are matched as `m1`.
async fn world(flags: &[&str]) -> World {
    let world = World::new(flags).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    world
}

/// Connects and joins `m1`, which is answered with the other's presence.
async fn matched(world: &World, user: &str) -> Client {
    let mut client = world.connect(user).await;
    client.send("join_match", json!({ "match_id": "m1" })).await;
    client.event("user_online_status").await;
    client
}

async fn both(world: &World) -> (Client, Client) {
    let mut ada = matched(world, "ada").await;
    let ben = matched(world, "ben").await;
    assert_eq!(ada.event("user_online_status").await, json!({ "user_id": "ben", "online": true }));
    (ada, ben)
}

async fn history(world: &World, user: &str, query: &str) -> (u16, Value) {
    let response = reqwest::Client::new()
        .get(world.url(&format!("/api/matches/m1/messages{query}")))
        .bearer_auth(world.token(user).await)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_message_is_announced_to_both_and_kept() {
    let world = world(&[]).await;
    let (mut ada, mut ben) = both(&world).await;
    ada.send("send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    let message = ben.event("new_message").await;
    assert_eq!(ada.event("new_message").await, message);
    assert_eq!(message["matchId"], "m1");
    assert_eq!(message["senderId"], "ada");
    assert_eq!(message["content"], "hi");
    assert_eq!(message["readAt"], Value::Null);
    message["createdAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(history(&world, "ben", "").await.1["messages"], json!([message]));
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_messages() {
    let world = world(&[]).await;
    for number in 0..20 {
        let (user, id) = (format!("ada-{number}"), format!("m-{number}"));
        world.post("/dev/match", json!({ "match_id": id, "users": [user, "ben"] })).await;
        let mut ada = world.connect(&user).await;
        ada.send("join_match", json!({ "match_id": id })).await;
        ada.event("user_online_status").await;
        for content in 0..33 {
            let (said, client_id) = (content.to_string(), format!("c{content}"));
            ada.send("send_message", json!({ "match_id": id, "content": said, "client_id": client_id })).await;
        }
        for content in 0..30 {
            assert_eq!(ada.any().await["data"]["content"], content.to_string(), "{user}");
        }
        for content in 30..33 {
            let error = ada.event("error").await;
            assert_eq!([&error["code"], &error["match_id"]], ["rate_limited", &*id], "{user}");
            assert_eq!(error["message_id"], format!("c{content}"), "{user}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hears_that_a_match_is_active_can_join_it() {
    let world = world(&["--app-key", "the key of the application"]).await;
    let mut ada = world.connect("ada").await;
    for _ in 0..40 {
        for status in ["ended", "active"] {
            let request = reqwest::Client::new().post(world.url("/api/matches/m1/status"));
            let request = request.bearer_auth("the key of the application").json(&json!({ "status": status }));
            let answered = tokio::spawn(request.send());
            assert_eq!(ada.event("session_update").await["status"], status);
            if status == "active" {
                ada.send("join_match", json!({ "match_id": "m1" })).await;
                assert_eq!(ada.any().await["type"], "user_online_status");
            }
            answered.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_match_of_others_and_one_that_does_not_exist_are_refused_alike() {
    let world = world(&[]).await;
    let mut eve = world.connect("eve").await;
    for match_id in ["m1", "m2"] {
        eve.send("join_match", json!({ "match_id": match_id })).await;
        let error = eve.event("error").await;
        assert_eq!((&error["code"], &error["message"]), (&json!("not_allowed"), &json!("not a match of yours")));
    }
    for (kind, data) in [
        ("send_message", json!({ "match_id": "m1", "content": "hi" })),
        ("typing", json!({ "match_id": "m1", "is_typing": true })),
        ("read_message", json!({ "match_id": "m1", "message_id": "1" })),
    ] {
        eve.send(kind, data).await;
        assert_eq!(eve.event("error").await["code"], "not_joined", "{kind}");
    }
    assert_eq!(history(&world, "eve", "").await.0, 403);
}

#[tokio::test]
async fn typing_stops_by_itself_two_seconds_after_the_last_key() {
    let world = world(&[]).await;
    let (mut ada, mut ben) = both(&world).await;
    let typing = Instant::now();
    ada.send("typing", json!({ "match_id": "m1", "is_typing": true })).await;
    let expected = json!({ "match_id": "m1", "user_id": "ada" });
    assert_eq!(ben.event("user_typing").await, expected);
    assert_eq!(ben.event("typing_stopped").await, expected);
    let took = typing.elapsed().as_millis();
    assert!((2000..8000).contains(&took), "{took} ms");
    ada.settle().await;
}

#[tokio::test]
async fn typing_ends_with_a_word_with_a_message_and_with_the_connection() {
    let world = world(&[]).await;
    let (mut ada, mut ben) = both(&world).await;
    let press = json!({ "match_id": "m1", "is_typing": true });
    ada.send("typing", press.clone()).await;
    ben.event("user_typing").await;
    ada.send("typing", json!({ "match_id": "m1", "is_typing": false })).await;
    ben.event("typing_stopped").await;
    ada.send("typing", press.clone()).await;
    ben.event("user_typing").await;
    ada.send("send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    ben.event("typing_stopped").await;
    ben.event("new_message").await;
    ada.send("typing", press).await;
    ben.event("user_typing").await;
    drop(ada);
    ben.event("typing_stopped").await;
    assert_eq!(ben.event("user_online_status").await["online"], false);
}

#[tokio::test]
async fn a_user_is_online_until_their_last_device_leaves() {
    let world = world(&[]).await;
    let mut ada = world.connect("ada").await;
    let phone = world.connect("ben").await;
    assert_eq!(ada.event("user_online_status").await, json!({ "user_id": "ben", "online": true }));
    let laptop = world.connect("ben").await;
    drop(phone);
    world.until("two left", async || world.server.connections() == 2).await;
    ada.settle().await;
    drop(laptop);
    assert_eq!(ada.event("user_online_status").await, json!({ "user_id": "ben", "online": false }));
}

#[tokio::test]
async fn read_receipts_move_forward_only() {
    let world = world(&[]).await;
    let (mut ada, mut ben) = both(&world).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ada.send("send_message", json!({ "match_id": "m1", "content": format!("{n}") })).await;
        ada.event("new_message").await;
        ids.push(ben.event("new_message").await["id"].clone());
    }
    let read = |id: &Value| json!({ "match_id": "m1", "message_id": id });
    ben.send("read_message", read(&ids[1])).await;
    let receipt = ada.event("message_read").await;
    assert_eq!((&receipt["message_id"], &receipt["match_id"]), (&ids[1], &json!("m1")));
    assert_eq!(ben.event("message_read").await, receipt);
    ben.send("read_message", read(&ids[0])).await;
    ben.send("read_message", read(&ids[1])).await;
    ben.settle().await;
    ada.settle().await;
    for bad in [json!("999"), json!("not a number")] {
        ben.send("read_message", read(&bad)).await;
        assert_eq!(ben.event("error").await["code"], "not_found");
    }
    ada.send("read_message", read(&ids[2])).await;
    assert_eq!(ada.event("error").await["code"], "not_found");
    let messages = history(&world, "ada", "").await.1["messages"].take();
    let is_read: Vec<bool> = (0..3).map(|n| messages[n]["readAt"].is_string()).collect();
    assert_eq!(is_read, [true, true, false]);
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_stored_and_announced_once() {
    let world = world(&[]).await;
    let (mut ada, mut ben) = both(&world).await;
    let message = json!({ "match_id": "m1", "content": "hi", "client_id": "c1" });
    ada.send("send_message", message.clone()).await;
    ada.send("send_message", message).await;
    let first = ada.event("new_message").await;
    assert_eq!(ada.event("new_message").await, first);
    assert_eq!(ben.event("new_message").await, first);
    ben.settle().await;
}

#[tokio::test]
async fn history_comes_in_pages() {
    let world = world(&["--rate-limit-per-minute", "0"]).await;
    let mut ada = matched(&world, "ada").await;
    for n in 0..5 {
        ada.send("send_message", json!({ "match_id": "m1", "content": format!("{n}") })).await;
        ada.event("new_message").await;
    }
    let (_, last) = history(&world, "ben", "?limit=3").await;
    let contents = |page: &Value| -> Vec<Value> {
        page["messages"].as_array().unwrap().iter().map(|message| message["content"].clone()).collect()
    };
    assert_eq!(contents(&last), ["2", "3", "4"]);
    let before = last["next_before"].as_str().unwrap();
    let (_, first) = history(&world, "ben", &format!("?limit=3&before={before}")).await;
    assert_eq!(contents(&first), ["0", "1"]);
    assert_eq!(first["next_before"], Value::Null);
    assert_eq!(history(&world, "ben", "?limit=many").await.0, 400);
}

#[tokio::test]
async fn a_match_cannot_change_hands() {
    let world = world(&[]).await;
    let again = json!({ "match_id": "m1", "users": ["ben", "ada"] });
    assert_eq!(world.try_post("/dev/match", again).await.0, 200);
    let others = json!({ "match_id": "m1", "users": ["ada", "eve"] });
    assert_eq!(world.try_post("/dev/match", others).await.0, 409);
    let alone = json!({ "match_id": "m3", "users": ["ada", "ada"] });
    assert_eq!(world.try_post("/dev/match", alone).await.0, 400);
}
