//! The Rust client in a worker, which has neither a window nor a document, against the servers of the browser tests.

#![cfg(all(target_arch = "wasm32", feature = "web"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "the modules of the browser tests can do more than a worker needs")]

#[path = "../browser/faults.rs"]
mod faults;
#[path = "../browser/page.rs"]
mod page;
#[path = "../browser/server.rs"]
mod server;
#[path = "../browser/user.rs"]
mod user;
#[path = "../browser/waiting.rs"]
mod waiting;

use everwire::client::{Client, Diagnostics, Options};
use everwire::events::masterx::{JoinSession, Notification};
use everwire::proto::{Phase, Sent};
use serde_json::json;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use user::{User, until_phase};
use waiting::{Log, until, until_async};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
async fn a_worker_connects_sends_and_receives() {
    let user = User::new().await;
    let client = user.reliable().await;
    let notifications = Log::new();
    let seen = notifications.clone();
    client.subscribe(move |event: Notification| seen.add(event.text)).forget();
    let join = JoinSession { session_id: "algebra".into() };
    assert_eq!(client.send(&join).unwrap(), Sent::Now);
    until_async("it arrives", async || server::processed(&user.id).await.len() == 1).await;
    server::push(&user.id, "notification", json!({ "text": "hello" })).await;
    assert_eq!(notifications.holds(1).await, [Some("hello".into())]);
    drop(client);
    until("nothing is left", || {
        let left = Diagnostics::take();
        (left.closures, left.sockets) == (0, 0)
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_worker_hears_of_the_network() {
    let user = User::new().await;
    let mut config = user::quick();
    config.reconnect.initial_delay_ms = 600_000;
    config.reconnect.max_delay_ms = 600_000;
    let client = Client::new(user.options().config(config)).unwrap();
    client.connect().unwrap();
    client.connected().await.unwrap();
    faults::reset().await;
    until_phase(&client, Phase::Waiting).await;
    page::dispatch("offline");
    assert_eq!(client.phase(), Phase::Offline);
    page::dispatch("online");
    client.connected().await.unwrap();
}

#[wasm_bindgen_test]
fn a_worker_has_an_origin_to_connect_to() {
    let client = Client::new(Options::new()).unwrap();
    client.connect().unwrap();
    assert_eq!(client.phase(), Phase::Connecting);
}
