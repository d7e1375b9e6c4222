//! Handlers that do what they like.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use everwire::client::{Client, ClientError, ClientEvent, Subscription};
use everwire::events::masterx::Notification;
use everwire::proto::Phase;
use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::messages::{collect, join};
use crate::server;
use crate::user::{User, listen, until_phase};
use crate::waiting::{Log, until, until_async};

type Slot = Rc<RefCell<Option<Subscription>>>;

async fn notify(user: &User, text: &str) {
    server::push(&user.id, "notification", json!({ "text": text })).await;
}

/// Counts notifications.
fn count(client: &Client) -> Rc<Cell<u32>> {
    let count = Rc::new(Cell::new(0));
    let seen = count.clone();
    client.subscribe(move |_: Notification| seen.set(seen.get() + 1)).forget();
    count
}

#[wasm_bindgen_test]
async fn a_handler_may_end_its_own_subscription() {
    let user = User::new().await;
    let client = user.online().await;
    let (calls, slot) = (Log::new(), Slot::default());
    let (log, own) = (calls.clone(), slot.clone());
    let kept = String::from("what the handler holds outlives the subscription");
    let subscription = client.subscribe(move |_: Notification| {
        drop(own.take());
        log.add(kept.len());
    });
    slot.replace(Some(subscription));
    let last = collect::<Notification>(&client);
    notify(&user, "first").await;
    notify(&user, "second").await;
    last.holds(2).await;
    assert_eq!(calls.len(), 1);
    assert_eq!(client.handlers(), 1);
}

#[wasm_bindgen_test]
async fn a_handler_may_end_the_subscription_of_another_that_is_not_called_any_more() {
    let user = User::new().await;
    let client = user.online().await;
    let slot = Slot::default();
    let other = slot.clone();
    client.subscribe(move |_: Notification| drop(other.take())).forget();
    let called = Rc::new(Cell::new(false));
    let seen = called.clone();
    slot.replace(Some(client.subscribe(move |_: Notification| seen.set(true))));
    let last = collect::<Notification>(&client);
    notify(&user, "only").await;
    last.holds(1).await;
    assert!(!called.get());
}

#[wasm_bindgen_test]
async fn a_handler_may_subscribe_another_that_hears_what_comes_next() {
    let user = User::new().await;
    let client = user.online().await;
    let (weak, late) = (client.downgrade(), Log::new());
    let (log, slot) = (late.clone(), Slot::default());
    client
        .subscribe(move |_: Notification| {
            let log = log.clone();
            let subscribe = |client: Client| client.subscribe(move |event: Notification| log.add(event));
            if slot.borrow().is_none() {
                slot.replace(weak.upgrade().map(subscribe));
            }
        })
        .forget();
    let last = collect::<Notification>(&client);
    notify(&user, "first").await;
    last.holds(1).await;
    assert_eq!(late.len(), 0);
    notify(&user, "second").await;
    late.holds(1).await;
}

#[wasm_bindgen_test]
async fn a_handler_may_send() {
    let user = User::new().await;
    let client = user.online().await;
    let weak = client.downgrade();
    client
        .subscribe(move |_: Notification| {
            weak.upgrade().unwrap().send(&join("from a handler")).unwrap();
        })
        .forget();
    notify(&user, "go").await;
    until_async("it arrives", async || server::received_types(&user.id).await == ["join_session"]).await;
}

#[wasm_bindgen_test]
async fn a_handler_may_disconnect() {
    let user = User::new().await;
    let client = user.online().await;
    let weak = client.downgrade();
    client.subscribe(move |_: Notification| weak.upgrade().unwrap().disconnect()).forget();
    let after = count(&client);
    notify(&user, "stop").await;
    until_phase(&client, Phase::Idle).await;
    assert_eq!(after.get(), 1);
}

#[wasm_bindgen_test]
async fn a_handler_may_reconnect_and_a_listener_too() {
    let user = User::new().await;
    let client = user.online().await;
    let weak = client.downgrade();
    client.subscribe(move |_: Notification| weak.upgrade().unwrap().reconnect().unwrap()).forget();
    let (weak, closes) = (client.downgrade(), Cell::new(0));
    client
        .on_event(move |event| {
            if let ClientEvent::Closed(_) = event
                && closes.replace(closes.get() + 1) < 3
            {
                weak.upgrade().unwrap().reconnect().unwrap();
            }
        })
        .forget();
    notify(&user, "again").await;
    // One attempt by the handler, and three by the listener; each replaces the one before.
    until_async("it settles", async || client.phase() == Phase::Open && server::connections(&user.id).await.open == 1)
        .await;
}

#[wasm_bindgen_test]
async fn a_handler_may_drop_the_last_handle_of_its_client() {
    let user = User::new().await;
    let client = user.online().await;
    let kept = Rc::new(RefCell::new(None));
    let (own, calls) = (kept.clone(), Log::new());
    let log = calls.clone();
    client
        .subscribe(move |_: Notification| {
            drop(own.take());
            log.add(());
        })
        .forget();
    kept.replace(Some(client));
    notify(&user, "the last").await;
    calls.holds(1).await;
    until_async("the server sees it", async || server::connections(&user.id).await.open == 0).await;
}

#[wasm_bindgen_test]
async fn a_handler_that_throws_is_reported_and_the_others_still_run() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    let before = count(&client);
    client.subscribe_raw("notification", |_, _| wasm_bindgen::throw_str("this handler is broken")).forget();
    let after = count(&client);
    notify(&user, "first").await;
    notify(&user, "second").await;
    until("both are handled", || after.get() == 2).await;
    assert_eq!(before.get(), 2);
    assert_eq!(log.errors(), ["handler_failed", "handler_failed"]);
    let named = |event: &ClientEvent| matches!(event, ClientEvent::Error(ClientError::HandlerFailed { event, .. }) if event == "notification");
    assert_eq!(log.count(named), 2);
    assert_eq!(client.phase(), Phase::Open);
}

#[wasm_bindgen_test]
async fn a_handler_that_panics_is_reported_and_the_others_still_run() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    client.subscribe(move |_: Notification| panic!("this handler is broken")).forget();
    let after = count(&client);
    notify(&user, "first").await;
    notify(&user, "second").await;
    until("both are handled", || after.get() == 2).await;
    assert_eq!(log.errors(), ["handler_failed", "handler_failed"]);
    client.reconnect().unwrap();
    client.connected().await.unwrap();
}

#[wasm_bindgen_test]
async fn the_connection_ends_with_the_client_whatever_its_handlers_hold() {
    struct Broken;

    impl Drop for Broken {
        fn drop(&mut self) {
            panic!("this cannot be dropped")
        }
    }

    let user = User::new().await;
    let client = user.online().await;
    let broken = Broken;
    client.subscribe_raw("notification", move |_, _| _ = &broken).forget();
    drop(client);
    until_async("the server sees it", async || server::connections(&user.id).await.open == 0).await;
}

#[wasm_bindgen_test]
async fn a_listener_that_throws_at_everything_hurts_nobody() {
    let user = User::new().await;
    let client = user.client();
    let calls = Rc::new(Cell::new(0));
    let seen = calls.clone();
    let broken = client.on_event(move |event| {
        seen.set(seen.get() + 1);
        if !matches!(event, ClientEvent::Error(_)) {
            wasm_bindgen::throw_str("this listener is broken")
        }
    });
    let log = listen(&client);
    client.connect().unwrap();
    client.connected().await.unwrap();
    drop(broken);
    let failures = log.errors().len();
    assert!(failures >= 3, "{failures}");
    assert_eq!(calls.get(), 2 * failures);
    let count = log.len();
    client.disconnect();
    until_phase(&client, Phase::Idle).await;
    assert!(log.len() > count);
}
