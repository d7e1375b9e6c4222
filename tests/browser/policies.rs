//! Messages that wait in another way than their type says, and messages that are taken back.

use everwire::client::{Client, ClientEvent, SendOptions};
use everwire::events::masterx::Notification;
use everwire::proto::{DropReason, Phase, Sent};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::messages::{collect, join, message};
use crate::user::{User, listen, quick_and_reliable, until_phase};
use crate::waiting::{Log, until, until_async};
use crate::{faults, server};

/// A client of the reliable mode that is not connected.
fn offline(user: &User) -> Client {
    Client::new(user.options().config(quick_and_reliable())).unwrap()
}

fn drops(log: &Log<ClientEvent>) -> Vec<DropReason> {
    let reason = |event: ClientEvent| match event {
        ClientEvent::Dropped { reason, .. } => Some(reason),
        _ => None,
    };
    log.all().into_iter().filter_map(reason).collect()
}

async fn processed_contents(user: &User) -> Vec<String> {
    let processed = server::processed(&user.id).await.into_iter();
    processed.map(|(_, data)| data["message"]["content"].as_str().unwrap().into()).collect()
}

#[wasm_bindgen_test]
async fn a_volatile_message_is_sent_at_once_and_without_a_number_or_not_at_all() {
    let user = User::new().await;
    let client = offline(&user);
    let options = SendOptions::new().volatile();
    assert_eq!(client.send_with(&join("s"), &options).unwrap(), Sent::Queued);
    assert_eq!(client.send_with(&message("s", "now"), &options).unwrap_err().code(), "not_open");
    client.connect().unwrap();
    client.connected().await.unwrap();
    assert_eq!(client.send_with(&message("s", "now"), &options).unwrap(), Sent::Now);
    until_async("it arrives", async || {
        server::received_types(&user.id).await == ["hello", "join_session", "message_sent"]
    })
    .await;
    assert_eq!(server::processed(&user.id).await, [(1, json!({ "session_id": "s" }))]);
}

#[wasm_bindgen_test]
async fn a_message_with_a_time_to_live_expires_and_others_stay() {
    let user = User::new().await;
    let client = offline(&user);
    let log = listen(&client);
    client.send_with(&message("s", "stale"), &SendOptions::new().ttl_ms(30)).unwrap();
    client.send_with(&message("s", "patient"), &SendOptions::new().ttl_ms(u64::MAX)).unwrap();
    until("it expires", || drops(&log) == [DropReason::Expired]).await;
    assert_eq!(client.snapshot().queued, 1);
    let refused = client.send_with(&message("s", "never"), &SendOptions::new().ttl_ms(0)).unwrap_err();
    assert_eq!((refused.code(), &*refused.to_string()), ("invalid_option", "`ttl_ms` must be a number from 1"));
    assert_eq!(client.latest_seq(), 2);
}

#[wasm_bindgen_test]
async fn a_message_replaces_the_waiting_one_with_its_key() {
    let user = User::new().await;
    let client = offline(&user);
    let log = listen(&client);
    for (content, key) in [("draft 1", "a"), ("other", "b"), ("draft 2", "a")] {
        client.send_with(&message("s", content), &SendOptions::new().coalesce(key)).unwrap();
    }
    assert_eq!(drops(&log), [DropReason::Replaced]);
    client.connect().unwrap();
    log.acknowledges(3).await;
    assert_eq!(processed_contents(&user).await, ["other", "draft 2"]);
}

#[wasm_bindgen_test]
async fn a_message_is_taken_back_until_it_is_sent() {
    let user = User::new().await;
    let client = offline(&user);
    let log = listen(&client);
    for content in ["one", "two", "three"] {
        client.send(&message("s", content)).unwrap();
    }
    assert!(client.cancel(2));
    assert!(!client.cancel(2));
    assert!(!client.cancel(4));
    client.connect().unwrap();
    log.acknowledges(3).await;
    assert!(!client.cancel(3));
    assert_eq!(processed_contents(&user).await, ["one", "three"]);
    assert!(drops(&log).is_empty());
}

#[wasm_bindgen_test]
async fn room_is_waited_for() {
    let user = User::new().await;
    let mut config = quick_and_reliable();
    config.queue.max_messages = 1;
    let client = Client::new(user.options().config(config)).unwrap();
    client.when_room().await;
    client.send(&join("a")).unwrap();
    assert!(!client.snapshot().has_room);
    let log = Log::new();
    let (waiting, told) = (client.clone(), log.clone());
    spawn_local(async move {
        waiting.when_room().await;
        told.add(waiting.phase());
    });
    client.connect().unwrap();
    assert_eq!(log.holds(1).await, [Phase::Open]);
    assert_eq!(client.send(&join("b")).unwrap(), Sent::Now);
}

#[wasm_bindgen_test]
async fn a_client_forgets_messages_sessions_and_positions() {
    let user = User::new().await;
    let client = user.reliable().await;
    let (log, notifications) = (listen(&client), collect::<Notification>(&client));
    server::push(&user.id, "notification", json!({})).await;
    notifications.holds(1).await;
    client.send(&join("algebra")).unwrap();
    log.acknowledges(1).await;
    faults::begin(json!({ "fault": "swallow" })).await;
    client.send(&message("algebra", "sent")).unwrap();
    faults::refuse().await;
    faults::reset().await;
    until("the connection is lost", || client.phase() != Phase::Open).await;
    client.send(&message("algebra", "queued")).unwrap();

    client.forget();
    assert_eq!(drops(&log), [DropReason::Forgotten, DropReason::Forgotten]);
    let seen = client.snapshot();
    assert_eq!((seen.queued, seen.in_flight), (0, 0));
    until_phase(&client, Phase::Idle).await;
    server::store(&user.id, "notification", json!({})).await;
    faults::heal().await;
    client.connect().unwrap();
    client.connected().await.unwrap();
    client.send_raw("echo", &JsValue::UNDEFINED).unwrap();
    log.acknowledges(client.latest_seq()).await;
    assert_eq!(server::received_types(&user.id).await, ["hello", "join_session", "hello", "echo"]);
    assert_eq!(notifications.len(), 1);
}
