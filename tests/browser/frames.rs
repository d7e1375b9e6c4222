//! Frames that are not what they should be.

use everwire::client::{ClientError, ClientEvent};
use everwire::events::masterx::{Notification, Ping};
use everwire::proto::Phase;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::messages::collect;
use crate::user::{User, listen};
use crate::waiting::Log;
use crate::{page, server};

#[wasm_bindgen_test]
async fn frames_that_are_no_events_are_reported_and_the_connection_stays() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    let notifications = collect::<Notification>(&client);
    let bad = ["nonsense", "", "[]", "null", "42", "\"text\"", "{}", "{\"type\": 7}", "{\"type\": \"x\""];
    for text in bad {
        server::raw(&user.id, text).await;
    }
    server::raw_binary(&user.id, "{\"type\": \"notification\"}").await;
    server::push(&user.id, "notification", json!({})).await;
    notifications.holds(1).await;
    assert_eq!(log.errors(), vec!["bad_frame"; bad.len() + 1]);
    assert_eq!(client.phase(), Phase::Open);
    assert_eq!(server::connections(&user.id).await.accepted, 1);
}

#[wasm_bindgen_test]
async fn the_report_of_a_bad_frame_holds_a_short_copy() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    server::raw(&user.id, &"x".repeat(5_000)).await;
    let ClientEvent::Error(ClientError::BadFrame { text, frame }) = log.holds(1).await.remove(0) else {
        panic!("{:?}", log.all());
    };
    assert!(text.contains("not JSON"), "{text}");
    let length = frame.unwrap().len();
    assert!((20..=200).contains(&length), "{length}");
}

#[wasm_bindgen_test]
async fn an_event_that_is_named_like_news_of_the_client_is_refused() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    let last = collect::<Notification>(&client);
    for name in ["open", "close", "state", "reconnecting", "give_up"] {
        server::push(&user.id, name, json!({})).await;
    }
    server::push(&user.id, "notification", json!({})).await;
    last.holds(1).await;
    assert_eq!(log.errors(), ["bad_frame"; 5]);
    assert_eq!(log.len(), 5, "{:?}", log.all());
}

#[wasm_bindgen_test]
async fn data_that_is_missing_is_an_empty_object() {
    let user = User::new().await;
    let client = user.online().await;
    let (pings, envelopes) = (collect::<Ping>(&client), Log::new());
    let log = envelopes.clone();
    client.subscribe_raw("ping", move |data, envelope| log.add((data, envelope))).forget();
    server::raw(&user.id, "{\"type\": \"ping\", \"more\": 7}").await;
    pings.holds(1).await;
    let (data, envelope): (JsValue, JsValue) = envelopes.all().remove(0);
    assert!(data.is_object());
    assert_eq!(page::own(&envelope, "more"), 7);
}
