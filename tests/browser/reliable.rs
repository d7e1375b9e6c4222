//! The reliable mode: what is acknowledged, what is sent again, and what is named as missing.

use std::cell::RefCell;
use std::rc::Rc;

use everwire::client::{Client, ClientEvent, ReceiptStatus};
use everwire::events::masterx::{MessageReceived, Notification};
use everwire::proto::{Delivery, Phase, Sent};
use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::messages::{collect, join, message};
use crate::user::{User, listen, until_phase};
use crate::waiting::{Log, until, until_async};
use crate::{faults, page, server};

/// Cuts the connection and keeps it away until [`faults::heal`].
async fn cut(client: &Client) {
    faults::refuse().await;
    faults::reset().await;
    until("the connection is lost", || client.phase() != Phase::Open).await;
}

async fn processed_contents(user: &User) -> Vec<Value> {
    server::processed(&user.id).await.into_iter().map(|(_, data)| data["message"]["content"].clone()).collect()
}

#[wasm_bindgen_test]
async fn a_server_that_knows_the_reliable_mode_is_told_apart() {
    let user = User::new().await;
    assert_eq!(user.client().snapshot().delivery, Delivery::AtMostOnce);
    let client = user.reliable().await;
    assert_eq!(client.snapshot().delivery, Delivery::Reliable);
    assert_eq!(client.snapshot().protocol_errors, 0);
}

#[wasm_bindgen_test]
async fn a_message_is_in_flight_until_it_is_acknowledged() {
    let user = User::new().await;
    let client = user.reliable().await;
    let log = listen(&client);
    assert_eq!(client.send(&join("algebra")).unwrap(), Sent::Now);
    assert_eq!((client.latest_seq(), client.snapshot().in_flight), (1, 1));
    log.acknowledges(1).await;
    assert_eq!(client.snapshot().in_flight, 0);
    assert_eq!(server::processed(&user.id).await, [(1, json!({ "session_id": "algebra" }))]);
}

#[wasm_bindgen_test]
async fn what_was_under_way_when_the_connection_broke_is_processed_once_and_in_order() {
    let (ann, bob) = (User::new().await, User::new().await);
    let session = page::random_name();
    let anns = ann.reliable().await;
    // Bob does not pass the proxy, so the faults are Ann's alone.
    let bobs = Client::new(bob.options().url(server::URL)).unwrap();
    bobs.connect().unwrap();
    bobs.connected().await.unwrap();
    let (log, heard) = (listen(&anns), collect::<MessageReceived>(&bobs));
    bobs.send(&join(&session)).unwrap();
    until_async("Bob has joined", async || server::received(&bob.id).await.len() == 1).await;
    anns.send(&join(&session)).unwrap();
    log.acknowledges(1).await;

    faults::begin(json!({ "fault": "swallow", "direction": "down" })).await;
    anns.send(&message(&session, "heard, not acknowledged")).unwrap();
    until_async("it is processed", async || server::processed(&ann.id).await.len() == 2).await;
    faults::begin(json!({ "fault": "swallow", "direction": "up" })).await;
    anns.send(&message(&session, "not heard")).unwrap();
    assert_eq!(anns.snapshot().in_flight, 2);
    cut(&anns).await;
    assert_eq!(anns.send(&message(&session, "written offline")).unwrap(), Sent::Queued);
    faults::heal().await;

    log.acknowledges(4).await;
    let contents = ["heard, not acknowledged", "not heard", "written offline"];
    assert_eq!(processed_contents(&ann).await[1..], contents);
    let heard: Vec<_> = heard.holds(3).await.into_iter().map(|event| event.message.content).collect();
    assert_eq!(heard, contents);
    let seen = anns.snapshot();
    assert_eq!((seen.in_flight, seen.queued, seen.protocol_errors), (0, 0, 0));
}

#[wasm_bindgen_test]
async fn stored_events_arrive_after_an_absence_each_once() {
    let user = User::new().await;
    let client = user.reliable().await;
    let notifications = collect::<Notification>(&client);
    server::push(&user.id, "notification", json!({ "number": 1 })).await;
    notifications.holds(1).await;
    cut(&client).await;
    for number in [2, 3] {
        server::store(&user.id, "notification", json!({ "number": number })).await;
    }
    faults::heal().await;
    notifications.holds(3).await;
    server::push(&user.id, "notification", json!({ "number": 4 })).await;
    let arrived: Vec<_> = notifications.holds(4).await.into_iter().map(|event| event.more["number"].clone()).collect();
    assert_eq!(serde_json::to_value(arrived).unwrap(), json!([1.0, 2.0, 3.0, 4.0]));
}

#[wasm_bindgen_test]
async fn events_that_cannot_be_had_any_more_are_named() {
    let user = User::new().await;
    let client = user.reliable().await;
    let (log, notifications) = (listen(&client), collect::<Notification>(&client));
    server::push(&user.id, "notification", json!({})).await;
    notifications.holds(1).await;
    cut(&client).await;
    for _ in 0..2 {
        server::store(&user.id, "notification", json!({})).await;
    }
    let forgotten = server::forget(&user.id, 2).await;
    faults::heal().await;
    notifications.holds(2).await;
    let gaps = log.all().into_iter().filter_map(|event| match event {
        ClientEvent::Gap { stream, from, to } => Some((stream, from, to)),
        _ => None,
    });
    assert_eq!(gaps.collect::<Vec<_>>(), [("user".into(), forgotten, Some(forgotten))]);
}

#[wasm_bindgen_test]
async fn a_client_that_disconnects_keeps_what_is_not_acknowledged() {
    let user = User::new().await;
    let client = user.reliable().await;
    let log = listen(&client);
    faults::begin(json!({ "fault": "swallow" })).await;
    client.send(&join("geometry")).unwrap();
    client.disconnect();
    faults::reset().await;
    until_phase(&client, Phase::Idle).await;
    assert_eq!(client.snapshot().in_flight, 1);
    faults::heal().await;
    client.connect().unwrap();
    log.acknowledges(1).await;
    assert_eq!(server::processed(&user.id).await.len(), 1);
}

#[wasm_bindgen_test]
async fn a_message_that_the_server_refuses_is_named() {
    let user = User::new().await;
    let client = user.reliable().await;
    let log = listen(&client);
    client.send(&message("never joined", "hello")).unwrap();
    log.acknowledges(1).await;
    let is_named =
        |event: &ClientEvent| matches!(event, ClientEvent::Rejected { seq: 1, code, .. } if code == "not_joined");
    assert_eq!(log.count(is_named), 1);
}

#[wasm_bindgen_test]
async fn a_message_that_has_reached_its_reader_is_told() {
    let (ann, bob) = (User::new().await, User::new().await);
    let session = page::random_name();
    let (anns, bobs) = (ann.reliable().await, bob.reliable().await);
    let log = listen(&anns);
    for (user, client) in [(&ann, &anns), (&bob, &bobs)] {
        client.send(&join(&session)).unwrap();
        until_async("the session is joined", async || server::processed(&user.id).await.len() == 1).await;
    }
    anns.send(&message(&session, "hello")).unwrap();
    let is_told = |event: &ClientEvent| {
        matches!(event, ClientEvent::Receipt { seq: 2, status: ReceiptStatus::Delivered | ReceiptStatus::Read })
    };
    until("it is delivered", || log.count(is_told) == 1).await;
}

#[wasm_bindgen_test]
async fn a_listener_may_drop_the_client_that_tells_it_of_a_refusal() {
    let user = User::new().await;
    let client = user.reliable().await;
    let log = Log::new();
    let (told, last) = (log.clone(), Rc::new(RefCell::new(Some(client.clone()))));
    let kept = client.on_event(move |event| {
        if let ClientEvent::Rejected { seq, .. } = event {
            told.add(*seq);
            let client = last.borrow_mut().take();
            drop(client);
        }
    });
    for _ in 0..2 {
        client.send(&message("never joined", "hello")).unwrap();
    }
    drop(client);
    assert_eq!(log.holds(1).await, [1]);
    until_async("the connection is closed", async || server::connections(&user.id).await.open == 0).await;
    assert_eq!(log.all(), [1]);
    drop(kept);
}
