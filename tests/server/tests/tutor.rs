//! The stand-in for MasterX's tutor: from a message to its emotion, and an answer that streams in.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::World;
use serde_json::{Value, json};

async fn chat(world: &World, message: &str) -> (u16, Value) {
    let body = json!({ "session_id": "s1", "message": message, "message_id": "m1" });
    let request = reqwest::Client::new().post(world.url("/api/v1/chat")).bearer_auth(world.token("ada").await);
    let response = request.json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn who_writes_of_excitement_has_it_on_both_devices_within_two_seconds_with_the_message_that_it_is_of() {
    let world = World::new(&[]).await;
    let mut phone = world.member("ada", "s1").await;
    let mut laptop = world.connect("ada").await;
    let mut ben = world.member("ben", "s1").await;
    let started = Instant::now();
    let (status, answer) = chat(&world, "I'm so excited about this!").await;
    assert_eq!((status, &answer["pushed"]), (200, &json!(true)));
    for device in [&mut phone, &mut laptop] {
        let update = device.next("emotion_update").await["data"].take();
        assert_eq!(update["message_id"], "m1");
        assert_eq!(update["emotion"]["primary_emotion"], "excitement");
        assert_eq!(update["emotion"], answer["emotion_state"]);
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    // It is nobody else's business.
    ben.settle_without("emotion_update").await;
    assert_eq!(chat(&world, "The third exercise.").await.1["emotion_state"]["primary_emotion"], "neutral");
}

#[tokio::test]
async fn the_answer_begins_with_thinking_grows_and_comes_whole_at_last() {
    let world = World::new(&[]).await;
    let mut ada = world.member("ada", "s1").await;
    let mut ben = world.member("ben", "s1").await;
    let (_, answer) = chat(&world, "Why is that?").await;
    for member in [&mut ada, &mut ben] {
        let mut deltas = Vec::new();
        let whole = loop {
            let mut event = member.any().await;
            match event["type"].as_str().unwrap() {
                "message_delta" => deltas.push(event["data"].take()),
                "message_received" => break event["data"]["message"].take(),
                "emotion_update" => {}
                other => panic!("{other}"),
            }
        };
        assert!(deltas.iter().all(|delta| delta["message_id"] == answer["reply_id"] && delta["session_id"] == "s1"));
        assert_eq!(deltas[0]["thinking"], true);
        let texts: Vec<_> = deltas[1..].iter().map(|delta| delta["text"].as_str().unwrap()).collect();
        assert!(texts.len() > 3, "{texts:?}");
        assert!(
            texts.windows(2).all(|pair| pair[1].len() > pair[0].len() && pair[1].starts_with(pair[0])),
            "{texts:?}"
        );
        assert_eq!((&whole["content"], &whole["id"]), (&answer["message"], &answer["reply_id"]));
        assert_eq!((&whole["role"], &whole["session_id"]), (&json!("assistant"), &json!("s1")));
        assert!(whole["content"].as_str().unwrap().starts_with(texts[texts.len() - 1]));
    }
}

#[tokio::test]
async fn the_chat_endpoint_still_answers_when_the_push_fails() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    world.post("/dev/fail-pushes", json!({ "user_id": "ada", "fail": true })).await;
    let (status, answer) = chat(&world, "I'm so excited about this!").await;
    assert_eq!((status, &answer["pushed"]), (200, &json!(false)));
    assert_eq!(answer["emotion_state"]["primary_emotion"], "excitement");
    assert!(!answer["message"].as_str().unwrap().is_empty());
    ada.settle_without("emotion_update").await;
    let pushed = world.try_post("/dev/push", json!({ "type": "notification", "user_id": "ada" })).await;
    assert_eq!(pushed.0, 500);
    world.post("/dev/fail-pushes", json!({ "user_id": "ada", "fail": false })).await;
    assert_eq!(chat(&world, "I'm so excited about this!").await.1["pushed"], true);
    ada.next("emotion_update").await;
}

#[tokio::test]
async fn a_chat_has_the_limits_of_messages_and_needs_a_token() {
    let world = World::new(&["--rate-limit-per-minute", "1", "--max-message-bytes", "1000"]).await;
    assert_eq!(chat(&world, &"x".repeat(1001)).await, (413, json!({ "error": "Message too large" })));
    assert_eq!(chat(&world, "hi").await, (429, json!({ "error": "Rate limit exceeded" })));
    let without = world.try_post("/api/v1/chat", json!({ "session_id": "s1", "message": "hi" })).await;
    assert_eq!(without.0, 401);
}
