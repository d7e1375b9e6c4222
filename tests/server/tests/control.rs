//! The control endpoints of `--dev`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{PATIENCE, World};
use everwire_server::{Options, Server};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_token_can_be_had_by_post_and_by_get() {
    let world = World::new(&[]).await;
    let answer = world.get("/dev/token?user_id=ada").await;
    world.connect_with(answer["token"].as_str().unwrap()).await.event("connected").await;
    let (status, answer) = world.try_post("/dev/token", json!({})).await;
    assert_eq!(status, 422);
    assert!(answer["error"].as_str().unwrap().contains("user_id"), "{answer}");
}

#[tokio::test]
async fn dropping_closes_each_socket_of_the_user_with_the_code() {
    let world = World::new(&[]).await;
    let mut phone = world.connect("ada").await;
    let mut laptop = world.connect("ada").await;
    let mut ben = world.connect("ben").await;
    let answer = world.post("/dev/drop", json!({ "user_id": "ada", "code": 1012, "reason": "restart" })).await;
    assert_eq!(answer, json!({ "dropped": 2 }));
    assert_eq!(phone.closed().await, (1012, "restart".to_owned()));
    assert_eq!(laptop.closed().await, (1012, "restart".to_owned()));
    ben.settle().await;
}

#[tokio::test]
async fn dropping_without_a_code_sends_no_close_frame() {
    let world = World::new(&[]).await;
    for body in [json!({ "user_id": "ada" }), json!({ "user_id": "ada", "code": null })] {
        let mut ada = world.connect("ada").await;
        assert_eq!(world.post("/dev/drop", body).await, json!({ "dropped": 1 }));
        ada.aborted().await;
        world.until("forgotten", async || world.server.connections() == 0).await;
    }
}

#[tokio::test]
async fn a_code_that_must_not_be_sent_is_refused() {
    let world = World::new(&[]).await;
    for code in [0, 999, 1005, 1006, 1015, 2000, 5000] {
        let (status, _) = world.try_post("/dev/drop", json!({ "user_id": "ada", "code": code })).await;
        assert_eq!(status, 400, "{code}");
    }
}

#[tokio::test]
async fn a_silent_socket_records_what_it_ignores_and_answers_nothing() {
    let world = World::new(&[]).await;
    let mut ada = world.member("ada", "s1").await;
    let mut ben = world.member("ben", "s1").await;
    let answer = world.post("/dev/silent", json!({ "user_id": "ada", "silent": true })).await;
    assert_eq!(answer, json!({ "affected": 1 }));
    ada.send("ping", json!({})).await;
    ada.send("message_sent", json!({ "session_id": "s1", "message": { "id": "m1", "content": "hi" } })).await;
    ada.send_text("not json").await;
    assert_eq!(world.post("/dev/push", json!({ "type": "notification", "user_id": "ada" })).await["delivered"], 0);
    world.until("recorded", async || world.received("ada").await.len() == 5).await;
    ada.hears_nothing().await;
    ben.settle().await;
    let received = world.received("ada").await;
    let ignored: Vec<bool> = received.iter().map(|frame| frame["ignored"].as_bool().unwrap()).collect();
    assert_eq!(ignored, [false, false, true, true, true]);
    assert_eq!(received[4]["type"], json!(null));

    world.connect("ada").await.settle().await;
    world.post("/dev/silent", json!({ "user_id": "ada", "silent": false })).await;
    ada.settle().await;
}

#[tokio::test]
async fn later_sockets_are_silent_too_where_that_is_asked_for() {
    let world = World::new(&[]).await;
    let body = json!({ "user_id": "ada", "silent": true, "new_connections": true });
    assert_eq!(world.post("/dev/silent", body).await, json!({ "affected": 0 }));
    let mut ada = world.connect_with(&world.token("ada").await).await;
    ada.hears_nothing().await;
    world.post("/dev/silent", json!({ "user_id": "ada", "silent": false })).await;
    ada.settle().await;
    world.connect("ada").await;
}

#[tokio::test]
async fn a_silent_socket_does_not_answer_a_closing_handshake() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    world.post("/dev/silent", json!({ "user_id": "ada", "silent": true })).await;
    ada.socket.close(None).await.unwrap();
    ada.hears_nothing().await;
}

#[tokio::test]
async fn refusing_handshakes_ends_by_time_or_on_command() {
    let world = World::new(&[]).await;
    let ada = world.token("ada").await;
    let ben = world.token("ben").await;
    world.post("/dev/refuse", json!({ "for_ms": 60_000, "user_id": "ada" })).await;
    assert_eq!(world.refused(&ada).await, 503);
    let mut open = world.connect_with(&ben).await;
    open.event("connected").await;
    world.post("/dev/refuse", json!({ "for_ms": 60_000 })).await;
    assert_eq!(world.refused(&ben).await, 503);
    assert_eq!(world.get("/dev/connections?user_id=ben").await, json!({ "open": 1, "accepted": 1, "refused": 1 }));
    world.post("/dev/refuse", json!({ "for_ms": 0 })).await;
    world.connect_with(&ada).await;
    world.post("/dev/refuse", json!({ "for_ms": 1 })).await;
    let connects = async || tokio_tungstenite::connect_async(world.ws_url(&ada)).await.is_ok();
    world.until("accepted again", connects).await;
}

#[tokio::test]
async fn a_push_goes_to_a_user_a_session_or_everyone() {
    let world = World::new(&[]).await;
    let mut ada = world.member("ada", "s1").await;
    let mut ben = world.connect("ben").await;
    let push = async |target: serde_json::Value| {
        let mut body = json!({ "type": "notification", "data": { "n": 1 } });
        body.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        world.post("/dev/push", body).await["delivered"].as_u64().unwrap()
    };
    assert_eq!(push(json!({ "user_id": "ben" })).await, 1);
    assert_eq!(ben.event("notification").await, json!({ "n": 1 }));
    assert_eq!(push(json!({ "session_id": "s1" })).await, 1);
    assert_eq!(ada.event("notification").await, json!({ "n": 1 }));
    assert_eq!(push(json!({})).await, 2);
    assert_eq!(push(json!({ "user_id": "nobody" })).await, 0);
    assert_eq!(push(json!({ "session_id": "none" })).await, 0);
}

#[tokio::test]
async fn an_emotion_has_the_shape_of_the_catalogue_and_varies() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    world.post("/dev/emotion", json!({ "user_id": "ada" })).await;
    world.post("/dev/emotion", json!({ "user_id": "ada" })).await;
    world.post("/dev/emotion", json!({ "user_id": "ada", "emotion": { "own": true } })).await;
    let first = ada.event("emotion_update").await;
    let emotion = &first["emotion"];
    assert!(first["message_id"].is_string());
    assert!(emotion["primary_emotion"].is_string());
    for number in [
        &emotion["intensity"],
        &emotion["pad_values"]["pleasure"],
        &emotion["pad_values"]["arousal"],
        &emotion["pad_values"]["dominance"],
        &emotion["learning_readiness"],
        &emotion["cognitive_load"],
    ] {
        assert!((-1.0..=1.0).contains(&number.as_f64().unwrap()), "{emotion}");
    }
    assert_ne!(ada.event("emotion_update").await["emotion"], *emotion);
    assert_eq!(ada.event("emotion_update").await["emotion"], json!({ "own": true }));
}

#[tokio::test]
async fn raw_frames_are_sent_as_they_are() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    world.post("/dev/raw", json!({ "user_id": "ada", "text": "{not json" })).await;
    world.post("/dev/raw", json!({ "user_id": "ada", "text": "bytes", "binary": true })).await;
    assert_eq!(ada.frame().await, Message::text("{not json"));
    assert_eq!(ada.frame().await, Message::binary("bytes"));
}

#[tokio::test]
async fn the_record_shows_what_arrived_in_order_and_can_be_filtered_and_cleared() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    let mut ben = world.connect("ben").await;
    ada.send("echo", json!({ "n": 1 })).await;
    ada.send("ping", json!({})).await;
    ada.send("echo", json!({ "n": 2 })).await;
    ben.settle().await;
    world.until("recorded", async || world.received("ada").await.len() == 3).await;
    let echoes = world.get("/dev/received?user_id=ada&type=echo").await;
    assert_eq!(echoes[0]["data"], json!({ "n": 1 }));
    assert_eq!(echoes[1]["data"], json!({ "n": 2 }));
    assert_eq!(echoes[0]["timestamp"], 1_700_000_000_000_i64);
    assert_eq!(world.delete("/dev/received?user_id=ada").await, json!({ "cleared": 3 }));
    assert!(world.received("ada").await.is_empty());
    assert_eq!(world.received("ben").await.len(), 1);
}

#[tokio::test]
async fn the_record_drops_its_oldest_frames() {
    let world = World::new(&["--record-frames", "2"]).await;
    let mut ada = world.connect("ada").await;
    for n in 1..=3 {
        ada.send("echo", json!({ "n": n })).await;
        ada.event("echo").await;
    }
    let kept: Vec<_> = world.received("ada").await.iter().map(|frame| frame["data"]["n"].clone()).collect();
    assert_eq!(kept, [json!(2), json!(3)]);
}

#[tokio::test]
async fn control_endpoints_are_open_to_pages_of_other_origins() {
    let world = World::new(&[]).await;
    let preflight = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, world.url("/dev/token"))
        .header("Origin", "http://localhost:5173")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type")
        .send();
    let response = timeout(PATIENCE, preflight).await.unwrap().unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn without_dev_there_are_no_control_endpoints() {
    let options = Options::from_flags(["--port", "0", "--secret", "0123456789abcdef0123456789abcdef"]).unwrap();
    let server = Server::start(options).await.unwrap();
    let response = reqwest::get(format!("{}dev/token?user_id=ada", server.url())).await.unwrap();
    assert_eq!(response.status(), 404);
}
