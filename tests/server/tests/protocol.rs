//! The base protocol and the MasterX events, through a real socket.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::World;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_ping_is_answered_with_the_server_time() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.send("ping", json!({})).await;
    let pong = ada.event("pong").await;
    let time: jiff::Timestamp = pong["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(time.as_second() > 1_700_000_000);
}

#[tokio::test]
async fn an_echo_comes_back_as_it_was() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    let data = json!({ "text": "naïve ✓ 𝄞", "list": [1, 2.5, null, true], "deep": { "a": { "b": {} } } });
    ada.send("echo", data.clone()).await;
    assert_eq!(ada.event("echo").await, data);
}

#[tokio::test]
async fn a_message_reaches_the_other_members_and_not_its_sender() {
    let world = World::new(&[]).await;
    let mut ada = world.member("ada", "s1").await;
    let mut ben = world.member("ben", "s1").await;
    let mut eve = world.member("eve", "s2").await;
    ada.send("message_sent", json!({ "session_id": "s1", "message": { "id": "m1", "content": "hi", "x": 1 } })).await;
    let message = ben.event("message_received").await["message"].take();
    assert_eq!(message["id"], "m1");
    assert_eq!(message["content"], "hi");
    assert_eq!(message["role"], "user");
    message["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    ada.settle().await;
    eve.settle().await;
}

#[tokio::test]
async fn all_devices_of_a_member_receive_the_same_events() {
    let world = World::new(&[]).await;
    let mut ada = world.member("ada", "s1").await;
    let mut phone = world.member("ben", "s1").await;
    let mut laptop = world.connect("ben").await;
    ada.send("user_typing", json!({ "session_id": "s1", "isTyping": true })).await;
    let expected = json!({ "user_id": "ada", "session_id": "s1", "isTyping": true });
    assert_eq!(phone.event("typing_indicator").await, expected);
    assert_eq!(laptop.event("typing_indicator").await, expected);
    ada.settle().await;
}

#[tokio::test]
async fn a_member_who_left_receives_nothing_more() {
    let world = World::new(&[]).await;
    let mut ada = world.member("ada", "s1").await;
    let mut ben = world.member("ben", "s1").await;
    ben.send("leave_session", json!({ "session_id": "s1" })).await;
    ben.settle().await;
    ada.send("user_typing", json!({ "session_id": "s1", "isTyping": true })).await;
    ada.settle().await;
    ben.settle().await;
}

#[tokio::test]
async fn membership_ends_with_the_last_connection() {
    let world = World::new(&[]).await;
    let phone = world.member("ada", "s1").await;
    let mut laptop = world.connect("ada").await;
    drop(phone);
    world.until("one left", async || world.server.connections() == 1).await;
    laptop.send("user_typing", json!({ "session_id": "s1", "isTyping": true })).await;
    laptop.settle().await;
    drop(laptop);
    world.until("none left", async || world.server.connections() == 0).await;
    let mut again = world.connect("ada").await;
    again.send("user_typing", json!({ "session_id": "s1", "isTyping": true })).await;
    assert_eq!(again.event("error").await["code"], "not_joined");
}

#[tokio::test]
async fn a_message_to_a_session_that_was_not_joined_is_refused() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.send("message_sent", json!({ "session_id": "s1", "message": { "id": "m1", "content": "hi" } })).await;
    let error = ada.event("error").await;
    assert_eq!(error["code"], "not_joined");
    assert_eq!(error["about"], "message_sent");
    assert!(error["message"].is_string());
}

#[tokio::test]
async fn what_is_not_understood_is_answered_with_an_error_and_the_connection_stays() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.send("fly_to_the_moon", json!({})).await;
    assert_eq!(ada.event("error").await["code"], "unknown_type");
    for text in ["", "{", "[]", "7", "null", r#"{"type":7}"#, r#"{"data":{}}"#, r#"{"type":"ping","data":[]}"#] {
        ada.send_text(text).await;
        assert_eq!(ada.event("error").await["code"], "malformed", "{text}");
    }
    for (kind, data) in [
        ("join_session", json!({})),
        ("join_session", json!({ "session_id": 7 })),
        ("join_session", json!({ "session_id": "" })),
        ("user_typing", json!({ "session_id": "s1", "isTyping": "yes" })),
        ("message_sent", json!({ "session_id": "s1", "message": "hi" })),
    ] {
        ada.send(kind, data).await;
        assert_eq!(ada.event("error").await["code"], "malformed", "{kind}");
    }
    ada.settle().await;
}

#[tokio::test]
async fn a_bad_token_is_closed_with_1008() {
    let world = World::new(&[]).await;
    let expired = world.post("/dev/token", json!({ "user_id": "ada", "ttl_s": -1 })).await;
    for (token, reason) in [
        ("", "Missing authentication token"),
        ("nonsense", "Invalid authentication token"),
        (expired["token"].as_str().unwrap(), "Authentication token expired"),
    ] {
        let mut client = world.connect_with(token).await;
        assert_eq!(client.closed().await, (1008, reason.to_owned()));
    }
    assert_eq!(world.server.connections(), 0);
}

#[tokio::test]
async fn a_bad_token_is_refused_with_403_where_that_is_asked_for() {
    let world = World::new(&["--reject", "http"]).await;
    assert_eq!(world.refused("nonsense").await, 403);
    world.connect("ada").await.settle().await;
}

#[tokio::test]
async fn tokens_of_a_server_with_a_given_secret_outlive_it() {
    let first = World::new(&["--secret", "the same for both"]).await;
    let token = first.token("ada").await;
    let second = World::new(&["--secret", "the same for both"]).await;
    second.connect_with(&token).await.event("connected").await;
}

#[tokio::test]
async fn a_client_that_closes_gets_its_close_frame_back() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.socket.close(None).await.unwrap();
    assert!(matches!(ada.frame().await, Message::Close(_)));
    world.until("forgotten", async || world.server.connections() == 0).await;
}

#[tokio::test]
async fn a_plain_request_is_told_what_is_missing() {
    let world = World::new(&[]).await;
    let response = reqwest::get(world.url("/api/ws")).await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().contains("handshake"));
    assert_eq!(reqwest::get(world.url("/api/other")).await.unwrap().status(), 404);
}
