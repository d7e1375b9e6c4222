//! Streams of events, for tasks.

use everwire::client::{ClientError, ClientEvent, Diagnostics, Events, Snapshot};
use everwire::events::masterx::{Notification, TypingIndicator};
use everwire::proto::Phase;
use futures_util::stream::FusedStream;
use futures_util::{FutureExt, StreamExt};
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::leaks::nothing_left;
use crate::messages::collect;
use crate::server;
use crate::user::{User, listen};
use crate::waiting::Log;

async fn notify(user: &User, text: &str) {
    server::push(&user.id, "notification", json!({ "text": text })).await;
}

/// The text of the next notification, or the code of what the stream says instead.
async fn next(stream: &mut Events<Notification>) -> String {
    match stream.next().await.unwrap() {
        Ok(notification) => notification.text.unwrap(),
        Err(error) => error.code().to_owned(),
    }
}

#[wasm_bindgen_test]
async fn a_task_gets_every_event_in_order_also_those_that_came_while_it_was_away() {
    let user = User::new().await;
    let client = user.online().await;
    let (mut stream, seen) = (client.events::<Notification>(), collect::<Notification>(&client));
    notify(&user, "one").await;
    notify(&user, "two").await;
    seen.holds(2).await;
    assert_eq!((next(&mut stream).await, next(&mut stream).await), ("one".into(), "two".into()));
    assert!(stream.next().now_or_never().is_none());
    let (task, log) = (client.events::<Notification>(), Log::new());
    let told = log.clone();
    spawn_local(async move { stream.chain(task).for_each(|event| async { told.add(event.unwrap().text) }).await });
    notify(&user, "three").await;
    assert_eq!(log.holds(1).await, [Some("three".into())]);
}

#[wasm_bindgen_test]
async fn a_task_that_is_too_slow_is_told_in_place_how_much_it_misses_and_gets_the_rest() {
    let user = User::new().await;
    let client = user.online().await;
    let errors = listen(&client);
    let mut stream = client.events::<Notification>().capacity(2);
    let seen = collect::<Notification>(&client);
    for text in ["one", "two", "three", "four", "five"] {
        notify(&user, text).await;
    }
    seen.holds(5).await;
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, ClientError::Lagged { event, missed: 3 } if event == "notification"), "{error}");
    assert_eq!((next(&mut stream).await, next(&mut stream).await), ("four".into(), "five".into()));
    assert!(errors.errors().is_empty());
}

#[wasm_bindgen_test]
async fn a_payload_that_does_not_fit_is_told_in_its_place_and_nowhere_else() {
    let user = User::new().await;
    let client = user.online().await;
    let errors = listen(&client);
    let mut stream = client.events::<TypingIndicator>();
    let frame = |data| json!({ "type": "typing_indicator", "data": data }).to_string();
    server::raw(&user.id, &frame(json!({ "user_id": 7, "isTyping": true }))).await;
    server::raw(&user.id, &frame(json!({ "user_id": "u", "isTyping": true }))).await;
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, ClientError::Undecodable { field, .. } if field == "user_id"), "{error}");
    assert!(stream.next().await.unwrap().unwrap().is_typing);
    assert!(errors.errors().is_empty());
}

#[wasm_bindgen_test]
async fn dropping_a_stream_ends_its_subscription() {
    nothing_left().await;
    let user = User::new().await;
    let client = user.online().await;
    let before = (client.handlers(), Diagnostics::take());
    for _ in 0..100 {
        let streams = (client.events::<Notification>(), client.connection_events(), client.snapshots());
        assert_eq!(client.handlers(), before.0 + 3);
        drop(streams);
    }
    assert_eq!((client.handlers(), Diagnostics::take()), before);
    drop(client);
    nothing_left().await;
}

#[wasm_bindgen_test]
async fn streams_end_with_the_client_which_they_do_not_keep_after_what_is_in_their_buffers() {
    let user = User::new().await;
    let client = user.online().await;
    let (mut stream, seen) = (client.events::<Notification>(), collect::<Notification>(&client));
    notify(&user, "last").await;
    seen.holds(1).await;
    let waiting = client.events::<TypingIndicator>();
    let ended = Log::new();
    let told = ended.clone();
    spawn_local(async move { told.add(waiting.count().await) });
    drop(client);
    assert_eq!(ended.holds(1).await, [0]);
    assert_eq!((next(&mut stream).await, stream.is_terminated()), ("last".into(), true));
    assert!(stream.next().await.is_none());
}

#[wasm_bindgen_test]
async fn snapshots_begin_with_now_and_a_slow_task_gets_the_latest() {
    let user = User::new().await;
    let client = user.client();
    let mut snapshots = client.snapshots();
    assert_eq!(snapshots.next().await.unwrap().phase, Phase::Idle);
    client.connect().unwrap();
    client.connected().await.unwrap();
    assert_eq!(snapshots.next().await.unwrap(), client.snapshot());
    assert!(snapshots.next().now_or_never().is_none());
    client.disconnect();
    let is_idle = |snapshot: &Snapshot| std::future::ready(snapshot.phase == Phase::Idle);
    let mut idle = std::pin::pin!(snapshots.filter(is_idle));
    assert!(idle.next().await.is_some());
}

#[wasm_bindgen_test]
async fn what_happens_to_the_connection_is_a_stream() {
    let user = User::new().await;
    let client = user.client();
    let told = client.connection_events();
    client.connect().unwrap();
    let opened = |event: Result<ClientEvent, ClientError>| async move { matches!(event, Ok(ClientEvent::Opened)) };
    assert!(told.any(opened).await);
    assert_eq!(client.phase(), Phase::Open);
}

#[wasm_bindgen_test]
async fn streams_of_several_events_can_be_one() {
    let user = User::new().await;
    let client = user.online().await;
    let texts = client.events::<Notification>().map(|event| event.unwrap().text.unwrap());
    let writers = client.events::<TypingIndicator>().map(|event| event.unwrap().user_id);
    notify(&user, "hello").await;
    server::push(&user.id, "typing_indicator", json!({ "user_id": "ann", "isTyping": true })).await;
    let heard: Vec<_> = futures_util::stream::select(texts, writers).take(2).collect().await;
    assert!(heard.contains(&"hello".into()) && heard.contains(&"ann".into()), "{heard:?}");
}
