//! Matches have a status, and their users a list of conversations.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Client, World};
use serde_json::{Value, json};

async fn world(flags: &[&str]) -> World {
    let world = World::new(flags).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    world
}

async fn matched(world: &World, user: &str) -> Client {
    let mut client = world.connect(user).await;
    client.send("join_match", json!({ "match_id": "m1" })).await;
    client.event("user_online_status").await;
    client
}

async fn set_status(world: &World, status: &str) -> Value {
    world.post("/dev/match/status", json!({ "match_id": "m1", "status": status })).await
}

async fn conversations(world: &World, user: &str) -> Value {
    let request = reqwest::Client::new().get(world.url("/api/matches")).bearer_auth(world.token(user).await);
    let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["matches"].take()
}

#[tokio::test]
async fn only_an_active_match_can_be_joined_and_written_to() {
    let world = world(&[]).await;
    let mut ada = matched(&world, "ada").await;
    ada.send("send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    let id = ada.event("new_message").await["id"].take();
    set_status(&world, "ended").await;
    ada.next("session_update").await;
    let attempts = [
        ("join_match", json!({ "match_id": "m1" })),
        ("send_message", json!({ "match_id": "m1", "content": "hi" })),
        ("typing", json!({ "match_id": "m1", "is_typing": true })),
        ("read_message", json!({ "match_id": "m1", "message_id": id })),
    ];
    for (kind, data) in &attempts {
        ada.send(kind, data.clone()).await;
        if *kind == "join_match" {
            assert_eq!(ada.event("session_update").await["status"], "ended");
        }
        assert_eq!(ada.event("error").await["code"], "not_active", "{kind}");
    }
    let mut eve = world.connect("eve").await;
    eve.send("join_match", json!({ "match_id": "m1" })).await;
    assert_eq!(eve.event("error").await["code"], "not_allowed");
    // A numbered message is decided by what is stored.
    ada.hello("k3Zq8vXw2LmN4pRt", json!({})).await;
    ada.say(1, "send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    assert_eq!(ada.acked(1).await[0]["data"]["code"], "not_active");
    set_status(&world, "active").await;
    ada.send("join_match", json!({ "match_id": "m1" })).await;
    ada.next("user_online_status").await;
    ada.say(2, "send_message", json!({ "match_id": "m1", "content": "again" })).await;
    assert_eq!(ada.next("new_message").await["data"]["content"], "again");
    let (status, _) = world.try_post("/dev/match/status", json!({ "match_id": "m2", "status": "ended" })).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_match_that_is_pending_cannot_be_joined_until_it_is_active() {
    let world = World::new(&["--app-key", "key"]).await;
    let post = async |path: &str, body: Value| {
        let request = reqwest::Client::new().post(world.url(path)).bearer_auth("key").json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    let body = json!({ "match_id": "m1", "users": ["ada", "ben"], "status": "pending" });
    assert_eq!(post("/api/matches", body).await, 200);
    let mut ada = world.connect("ada").await;
    ada.send("join_match", json!({ "match_id": "m1" })).await;
    assert_eq!(ada.event("session_update").await, json!({ "session_id": "m1", "match_id": "m1", "status": "pending" }));
    assert_eq!(ada.event("error").await["code"], "not_active");
    assert_eq!(post("/api/matches/m1/status", json!({ "status": "active" })).await, 200);
    assert_eq!(ada.event("session_update").await["status"], "active");
    ada.send("join_match", json!({ "match_id": "m1" })).await;
    ada.event("user_online_status").await;
}

#[tokio::test]
async fn ending_a_match_tells_both_users_on_all_devices_also_who_is_away_and_has_a_stream() {
    let world = world(&[]).await;
    let mut ada = matched(&world, "ada").await;
    let mut phone = world.connect("ada").await;
    let mut ben = world.connect("ben").await;
    ben.hello("k3Zq8vXw2LmN4pRt", json!({})).await;
    drop(ben);
    world.until("ben is gone", async || world.server.connections() == 2).await;
    assert_eq!(set_status(&world, "ended").await, json!({ "match_id": "m1", "status": "ended", "changed": true }));
    let told = json!({ "session_id": "m1", "match_id": "m1", "status": "ended" });
    assert_eq!(ada.next("session_update").await["data"], told);
    assert_eq!(phone.next("session_update").await["data"], told);
    let mut ben = world.connect("ben").await;
    ben.hello("k3Zq8vXw2LmN4pRt", json!({ "user": 0 })).await;
    assert_eq!(ben.next("session_update").await["data"], told);
    // Once is enough.
    assert_eq!(set_status(&world, "ended").await["changed"], false);
    phone.settle_without("session_update").await;
}

#[tokio::test]
async fn a_receipt_says_that_it_covers_what_came_before() {
    let world = world(&[]).await;
    let mut ada = matched(&world, "ada").await;
    let mut ben = matched(&world, "ben").await;
    for _ in 0..2 {
        ada.send("send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    }
    ben.event("new_message").await;
    let id = ben.event("new_message").await["id"].take();
    ben.send("read_message", json!({ "match_id": "m1", "message_id": id })).await;
    let read = ada.next("message_read").await["data"].take();
    assert_eq!((&read["message_id"], &read["up_to"]), (&id, &json!(true)));
}

#[tokio::test]
async fn the_conversations_of_a_user_have_the_last_message_and_what_is_unread() {
    let world = world(&[]).await;
    world.post("/dev/match", json!({ "match_id": "m2", "users": ["eve", "ada"] })).await;
    world.post("/dev/match", json!({ "match_id": "m3", "users": ["eve", "ben"] })).await;
    let mut ada = matched(&world, "ada").await;
    let mut ben = matched(&world, "ben").await;
    let mut ids = Vec::new();
    for content in ["one", "two", "three"] {
        ben.send("send_message", json!({ "match_id": "m1", "content": content })).await;
        ids.push(ada.next("new_message").await["data"]["id"].take());
    }
    let list = conversations(&world, "ada").await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    let first = &list[0];
    assert_eq!(
        (&first["match_id"], &first["user_id"], &first["status"]),
        (&json!("m1"), &json!("ben"), &json!("active"))
    );
    assert_eq!((&first["unread"], &first["online"]), (&json!(3), &json!(true)));
    assert_eq!((&first["last_message"]["content"], &first["last_message"]["id"]), (&json!("three"), &ids[2]));
    let second = json!({ "match_id": "m2", "user_id": "eve", "status": "active", "online": false, "last_message": null, "unread": 0 });
    assert_eq!(list[1], second);
    // One's own messages are never unread.
    assert_eq!(conversations(&world, "ben").await[0]["unread"], 0);
    ada.send("read_message", json!({ "match_id": "m1", "message_id": ids[1] })).await;
    ada.next("message_read").await;
    assert_eq!(conversations(&world, "ada").await[0]["unread"], 1);
    assert_eq!(reqwest::get(world.url("/api/matches")).await.unwrap().status(), 401);
}

#[tokio::test]
async fn another_process_takes_up_that_a_match_has_ended() {
    let file = std::env::temp_dir().join(format!("everwire-matches-{}.sqlite3", std::process::id()));
    let flags = ["--secret", "the same for both", "--database", file.to_str().unwrap()];
    let first = world(&flags).await;
    let second = World::new(&flags).await;
    let mut ada = matched(&second, "ada").await;
    set_status(&first, "ended").await;
    let refused = async || {
        ada.send("typing", json!({ "match_id": "m1", "is_typing": false })).await;
        ada.send("echo", json!({})).await;
        ada.any().await["data"]["code"] == "not_active"
    };
    second.until("it is known there", refused).await;
    drop((first, second));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}
