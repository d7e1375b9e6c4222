//! Requests and their replies.

use std::rc::Rc;

use everwire::client::{Client, RequestError, SendError};
use everwire::proto::{DropReason, Phase, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::messages::message;
use crate::user::{User, listen, quick_and_reliable};
use crate::waiting::{Log, until, until_async};
use crate::{faults, page, server};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Echo {
    number: u32,
}

everwire::event!(Echo = "echo");

/// Longer than any test waits.
const PATIENT_MS: u64 = 60_000;

fn offline(user: &User) -> Client {
    Client::new(user.options().config(quick_and_reliable())).unwrap()
}

/// Asks for an echo, and keeps what becomes of it.
fn ask(client: &Client, number: u32, timeout_ms: u64) -> Log<Result<Echo, RequestError>> {
    let log = Log::new();
    let (client, told) = (client.clone(), log.clone());
    spawn_local(async move { told.add(client.request(&Echo { number }, timeout_ms).await) });
    log
}

async fn processed(user: &User) -> usize {
    server::processed(&user.id).await.len()
}

#[wasm_bindgen_test]
async fn each_request_gets_its_own_result() {
    let user = User::new().await;
    let client = user.reliable().await;
    let [one, two] = [1, 2].map(|number| ask(&client, number, PATIENT_MS));
    assert_eq!(two.holds(1).await[0].as_ref().unwrap(), &Echo { number: 2 });
    assert_eq!(one.holds(1).await[0].as_ref().unwrap(), &Echo { number: 1 });
    let data = page::nested(2);
    let result = client.request_raw("echo", &data, PATIENT_MS).await.unwrap();
    assert!(page::own(&result, "value").is_object());
    assert_eq!(client.snapshot().protocol_errors, 0);
}

#[wasm_bindgen_test]
async fn a_request_is_answered_across_connections_and_carried_out_once() {
    let user = User::new().await;
    let client = offline(&user);
    let early = ask(&client, 1, PATIENT_MS);
    until("it waits", || client.snapshot().queued == 1).await;
    client.connect().unwrap();
    assert_eq!(early.holds(1).await[0].as_ref().unwrap().number, 1);

    faults::begin(json!({ "fault": "swallow", "direction": "down" })).await;
    let unheard = ask(&client, 2, PATIENT_MS);
    until_async("it is processed", async || processed(&user).await == 2).await;
    faults::reset().await;
    until("the connection is lost", || client.phase() != Phase::Open).await;
    faults::heal().await;
    assert_eq!(unheard.holds(1).await[0].as_ref().unwrap().number, 2);
    assert_eq!(processed(&user).await, 2);
}

#[wasm_bindgen_test]
async fn a_request_that_the_server_refuses_says_why() {
    let user = User::new().await;
    let client = user.reliable().await;
    let refused = client.request::<_, Echo>(&message("never joined", "hello"), PATIENT_MS).await.unwrap_err();
    let RequestError::Rejected { ref code, message: ref words } = refused else { panic!("{refused}") };
    assert_eq!((&**code, refused.code()), ("not_joined", "refused"));
    assert!(refused.to_string().contains(&**words) && !words.is_empty(), "{refused}");
}

#[wasm_bindgen_test]
async fn a_result_of_another_shape_is_named_with_its_field() {
    #[derive(Debug, Deserialize)]
    struct Other {
        #[allow(dead_code, reason = "only the shape counts")]
        name: String,
    }
    let user = User::new().await;
    let client = user.reliable().await;
    let misfit = client.request::<_, Other>(&Echo { number: 1 }, PATIENT_MS).await.unwrap_err();
    assert!(matches!(&misfit, RequestError::Undecodable { field, .. } if field == "name"), "{misfit}");
}

#[wasm_bindgen_test]
async fn what_is_not_accepted_is_refused_at_the_call() {
    let user = User::new().await;
    let plain = user.client();
    let refused = plain.request::<_, Echo>(&Echo { number: 1 }, PATIENT_MS).await.unwrap_err();
    assert!(matches!(refused, RequestError::Refused(SendError::Refused(Refusal::Unsupported))), "{refused}");
    let refused = offline(&user).request::<_, Echo>(&Echo { number: 1 }, 0).await.unwrap_err();
    assert_eq!((refused.code(), &*refused.to_string()), ("invalid_option", "`timeout_ms` must be a number from 1"));
    let refused = offline(&user).request_raw("echo", &JsValue::from(1), PATIENT_MS).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_data");
}

#[wasm_bindgen_test]
async fn a_request_without_a_reply_fails_in_time_and_its_late_reply_is_nobodys() {
    let user = User::new().await;
    let client = offline(&user);
    let queued = client.request::<_, Echo>(&Echo { number: 1 }, 30).await.unwrap_err();
    assert!(matches!(queued, RequestError::TimedOut), "{queued}");
    assert_eq!(client.snapshot().queued, 0);

    let log = listen(&client);
    client.connect().unwrap();
    client.connected().await.unwrap();
    faults::begin(json!({ "fault": "half_open", "direction": "down" })).await;
    let sent = client.request::<_, Echo>(&Echo { number: 2 }, 200).await.unwrap_err();
    assert_eq!(sent.code(), "timed_out");
    faults::heal().await;
    log.acknowledges(2).await;
    until("the late reply is noticed", || log.errors() == ["protocol_error"]).await;
}

#[wasm_bindgen_test]
async fn a_request_ends_with_what_ends_its_message_or_its_connection() {
    let user = User::new().await;
    let client = offline(&user);
    let outcome = ask(&client, 1, PATIENT_MS);
    until("it waits", || client.snapshot().queued == 1).await;
    assert!(client.cancel(client.latest_seq()));
    assert!(matches!(outcome.holds(1).await[0], Err(RequestError::Cancelled)));

    let outcome = ask(&client, 2, PATIENT_MS);
    until("it waits", || client.snapshot().queued == 1).await;
    client.forget();
    assert!(matches!(outcome.holds(1).await[0], Err(RequestError::Dropped(DropReason::Forgotten))));

    client.connect().unwrap();
    client.connected().await.unwrap();
    faults::begin(json!({ "fault": "swallow" })).await;
    let outcome = ask(&client, 3, PATIENT_MS);
    until("it is sent", || client.snapshot().in_flight == 1).await;
    client.disconnect();
    faults::reset().await;
    assert!(matches!(outcome.holds(1).await[0], Err(RequestError::Abandoned)));
}

#[wasm_bindgen_test]
async fn a_future_that_is_dropped_takes_its_request_back_and_leaves_nothing() {
    crate::leaks::nothing_left().await;
    let user = User::new().await;
    let client = offline(&user);
    let before = everwire::client::Diagnostics::take();
    let held = Rc::new(());
    {
        let (event, holder) = (Echo { number: 1 }, held.clone());
        let mut waiting = Box::pin(async {
            _ = client.request::<_, Echo>(&event, PATIENT_MS).await;
            drop(holder);
        });
        let noop = std::task::Waker::noop();
        assert!(waiting.as_mut().poll(&mut std::task::Context::from_waker(noop)).is_pending());
        assert_eq!(client.snapshot().queued, 1);
    }
    assert_eq!((client.snapshot().queued, Rc::strong_count(&held)), (0, 1));
    assert_eq!(everwire::client::Diagnostics::take(), before);

    client.connect().unwrap();
    client.connected().await.unwrap();
    assert_eq!(client.request::<_, Echo>(&Echo { number: 2 }, PATIENT_MS).await.unwrap().number, 2);
    assert_eq!(processed(&user).await, 1);
    drop(client);
    crate::leaks::nothing_left().await;
}

#[wasm_bindgen_test]
async fn a_listener_may_ask_and_drop_while_news_are_told() {
    let user = User::new().await;
    let client = offline(&user);
    let (weak, log) = (client.downgrade(), Log::new());
    let told = log.clone();
    client
        .on_event(move |event| {
            let (Some(client), everwire::client::ClientEvent::Opened) = (weak.upgrade(), event) else { return };
            let told = told.clone();
            spawn_local(async move {
                told.add(client.request::<_, Echo>(&Echo { number: 7 }, PATIENT_MS).await.unwrap().number);
            });
        })
        .forget();
    client.connect().unwrap();
    drop(client.clone());
    assert_eq!(log.holds(1).await, [7]);
}
