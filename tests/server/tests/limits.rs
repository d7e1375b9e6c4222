//! What a client may not do, and what happens when it does.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{PATIENCE, World};
use serde_json::json;
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream, time::timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

#[tokio::test]
async fn after_100_messages_at_once_the_next_is_refused_on_every_device() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    let mut passed = 0;
    let error = loop {
        ada.send("echo", json!({})).await;
        let mut answer = ada.any().await;
        if answer["type"] == "error" {
            break answer["data"].take();
        }
        passed += 1;
    };
    assert_eq!((&error["code"], &error["about"]), (&json!("rate_limited"), &json!("echo")));
    // The bucket is being filled again meanwhile, with five tokens in three seconds.
    assert!((100..150).contains(&passed), "{passed}");
    let mut other_device = world.connect("ada").await;
    other_device.send("echo", json!({})).await;
    assert_eq!(other_device.event("error").await["code"], "rate_limited");
    world.connect("ben").await.settle().await;
}

#[tokio::test]
async fn pings_are_answered_while_messages_are_refused() {
    let world = World::new(&["--rate-limit-per-minute", "1"]).await;
    let mut ada = world.connect("ada").await;
    ada.send("echo", json!({})).await;
    ada.event("echo").await;
    ada.send("echo", json!({})).await;
    ada.event("error").await;
    ada.settle().await;
}

#[tokio::test]
async fn a_limit_of_zero_is_none() {
    let world = World::new(&["--rate-limit-per-minute", "0"]).await;
    let mut ada = world.connect("ada").await;
    for _ in 0..300 {
        ada.settle().await;
    }
}

#[tokio::test]
async fn a_message_of_10240_bytes_passes_and_one_byte_more_closes_with_1009() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    let frame = |len: usize| {
        let empty = json!({ "type": "echo", "data": { "x": "" } }).to_string();
        let padding = "x".repeat(len - empty.len());
        json!({ "type": "echo", "data": { "x": padding } }).to_string()
    };
    assert_eq!(frame(10_240).len(), 10_240);
    ada.send_text(&frame(10_240)).await;
    ada.event("echo").await;
    ada.send_text(&frame(10_241)).await;
    assert_eq!(ada.closed().await.0, 1009);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_one_with_a_heartbeat_is_not() {
    let world = World::new(&["--idle-timeout-s", "1.5"]).await;
    let mut ada = world.connect("ada").await;
    let mut ben = world.connect("ben").await;
    let idle = ada.closed();
    let heartbeat = async {
        loop {
            ben.settle().await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        closed = idle => assert_eq!(closed, (1000, "idle".to_owned())),
        () = heartbeat => {}
    }
    ben.settle().await;
}

#[tokio::test]
async fn connections_are_capped_for_a_user_and_in_all() {
    let world = World::new(&["--max-connections", "3", "--max-connections-per-user", "2"]).await;
    let _first = world.connect("ada").await;
    let second = world.connect("ada").await;
    let mut third = world.connect_with(&world.token("ada").await).await;
    assert_eq!(third.closed().await.0, 1013);
    let _ben = world.connect("ben").await;
    assert_eq!(world.refused(&world.token("eve").await).await, 503);
    drop(second);
    world.until("room again", async || world.server.connections() == 2).await;
    world.connect("eve").await;
}

#[tokio::test]
async fn the_cap_of_a_user_is_429_where_refusals_are_by_status() {
    let world = World::new(&["--reject", "http", "--max-connections-per-user", "1"]).await;
    let _first = world.connect("ada").await;
    assert_eq!(world.refused(&world.token("ada").await).await, 429);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_delays_nobody() {
    let world = World::new(&["--rate-limit-per-minute", "0", "--queue-frames", "64"]).await;
    let mut stuck = world.member("stuck", "s1").await;
    let mut ben = world.member("ben", "s1").await;
    let mut ada = world.member("ada", "s1").await;
    let content = "x".repeat(9_000);
    let mut sent = 0;
    while world.server.connections() == 3 {
        let message = json!({ "id": format!("{sent}"), "content": content });
        ada.send("message_sent", json!({ "session_id": "s1", "message": message })).await;
        assert_eq!(ben.event("message_received").await["message"]["id"], format!("{sent}"));
        sent += 1;
        assert!(sent < 20_000, "the kernel's buffers cannot be that large");
    }
    ben.settle().await;
    let mut received = 0;
    while let Ok(Some(Ok(frame))) = timeout(PATIENCE, futures_util::StreamExt::next(&mut stuck.socket)).await {
        received += usize::from(frame.is_text());
    }
    assert!(received < sent, "{received} of {sent}");
    world.metrics_have(&[r#"everwire_errors_total{kind="slow_consumer"} 1"#]).await;
}

#[tokio::test]
async fn a_write_that_nobody_reads_is_given_up() {
    let flags = ["--send-timeout-s", "0.3", "--queue-frames", "100000", "--queue-bytes", "1000000000"];
    let world = World::new(&flags).await;
    let _stuck = world.connect("stuck").await;
    let data = json!({ "x": "x".repeat(1_000_000) });
    for _ in 0..20 {
        world.post("/dev/push", json!({ "type": "notification", "user_id": "stuck", "data": data })).await;
    }
    world.until("cut off", async || world.server.connections() == 0).await;
    let [stuck, aborted] =
        [r#"everwire_errors_total{kind="stuck"} 1"#, r#"everwire_disconnects_total{cause="abort"} 1"#];
    world.metrics_have(&[stuck, aborted]).await;
}

#[tokio::test]
async fn only_pages_of_allowed_origins_may_connect() {
    let world = World::new(&["--allow-origin", "https://app.example"]).await;
    let token = world.token("ada").await;
    let connect = async |origin: Option<&str>| {
        let mut request = world.ws_url(&token).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("Origin", origin.parse().unwrap());
        }
        tokio_tungstenite::connect_async(request).await.is_ok()
    };
    assert!(connect(None).await);
    assert!(connect(Some("https://app.example")).await);
    assert!(!connect(Some("https://evil.example")).await);
    assert!(!connect(Some("null")).await);
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_cut_off() {
    let world = World::new(&["--handshake-timeout-s", "0.3"]).await;
    let mut loris = TcpStream::connect(world.server.addr()).await.unwrap();
    loris.write_all(b"GET /api/ws HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let mut silent = TcpStream::connect(world.server.addr()).await.unwrap();
    let mut answer = Vec::new();
    for socket in [&mut loris, &mut silent] {
        let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("still open");
    }
    world.connect("ada").await.settle().await;
}

/// A world in which ada is in her match with ben.
async fn chatting(flags: &[&str]) -> (World, common::Client) {
    let world = World::new(flags).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    let mut ada = world.connect("ada").await;
    ada.send("join_match", json!({ "match_id": "m1" })).await;
    ada.event("user_online_status").await;
    (world, ada)
}

#[tokio::test]
async fn typing_has_a_limit_of_its_own_of_ten_a_second_and_costs_no_message() {
    let (_world, mut ada) = chatting(&["--rate-limit-per-minute", "6"]).await;
    for _ in 0..40 {
        ada.send("typing", json!({ "match_id": "m1", "is_typing": true })).await;
    }
    let error = ada.event("error").await;
    let expected =
        json!({ "message": "Rate limit exceeded", "code": "rate_limited", "about": "typing", "match_id": "m1" });
    assert_eq!(error, expected);
    let mut refused = 1;
    ada.send("echo", json!({})).await;
    while ada.any().await["type"] == "error" {
        refused += 1;
    }
    // The bucket is being filled again meanwhile.
    assert!((20..=30).contains(&refused), "{refused} of 40");
    for _ in 0..4 {
        ada.send("echo", json!({})).await;
        ada.event("echo").await;
    }
}

#[tokio::test]
async fn after_30_messages_in_matches_at_once_the_next_is_refused_and_other_messages_are_not() {
    let (_world, mut ada) = chatting(&[]).await;
    let mut passed = 0;
    let error = loop {
        ada.send("send_message", json!({ "match_id": "m1", "content": "hi" })).await;
        let mut answer = ada.any().await;
        if answer["type"] == "error" {
            break answer["data"].take();
        }
        assert_eq!(answer["type"], "new_message");
        passed += 1;
    };
    assert_eq!((&error["code"], &error["about"]), (&json!("rate_limited"), &json!("send_message")));
    assert!((30..40).contains(&passed), "{passed}");
    ada.send("echo", json!({})).await;
    ada.event("echo").await;
}

#[tokio::test]
async fn numbered_messages_of_a_match_wait_for_its_limit() {
    let (_world, mut ada) = chatting(&["--chat-limit-per-minute", "20"]).await;
    ada.hello("k3Zq8vXw2LmN4pRt", json!({})).await;
    let started = std::time::Instant::now();
    for seq in 1..=21 {
        ada.say(seq, "send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    }
    let before = ada.acked(21).await;
    assert!(before.iter().all(|event| event["type"] != "error"), "{before:?}");
    assert!(started.elapsed() > std::time::Duration::from_millis(1500), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_message_that_is_too_large_is_told_so_in_the_words_of_the_originals() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.hello("k3Zq8vXw2LmN4pRt", json!({})).await;
    ada.say(1, "echo", json!({ "x": "x".repeat(20_000) })).await;
    let error = ada.next("error").await["data"].take();
    assert_eq!((&error["message"], &error["code"]), (&json!("Message too large"), &json!("too_large")));
    ada.next("ack").await;
    ada.send("echo", json!({ "x": "x".repeat(20_000) })).await;
    assert_eq!(ada.closed().await, (1009, "Message too large".to_owned()));
}
