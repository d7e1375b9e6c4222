//! Dead links, lost networks, and giving up.

use everwire::client::{Client, ClientEvent, NotConnected};
use everwire::proto::Phase;
use everwire::proto::close::{Cause, Reason};
use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::messages::join;
use crate::user::{User, listen, quick, until_phase};
use crate::waiting::{until, until_async};
use crate::{faults, page, server};

#[wasm_bindgen_test]
async fn a_link_that_dies_is_noticed_by_the_missing_pong_and_left() {
    for death in [
        json!({ "fault": "swallow" }),
        json!({ "fault": "half_open", "direction": "up" }),
        json!({ "fault": "stall", "direction": "down", "after_bytes": 1 }),
    ] {
        let user = User::new().await;
        let mut config = quick();
        config.heartbeat.interval_ms = 100;
        config.heartbeat.timeout_ms = 1_000;
        // The next handshake may have vanished with the link.
        config.connect_timeout_ms = 2_000;
        let client = Client::new(user.options().config(config)).unwrap();
        let log = listen(&client);
        client.connect().unwrap();
        client.connected().await.unwrap();
        until("a ping is answered", || client.snapshot().last_rtt_ms.is_some()).await;
        faults::begin(death).await;
        let noticed = |event: &ClientEvent| matches!(event, ClientEvent::Closed(close) if close.reason == Reason::Client(Cause::PongTimeout));
        until("the silence is noticed", || log.count(noticed) == 1).await;
        assert_eq!(log.closes(), [1006]);
        faults::heal().await;
        client.connected().await.unwrap();
        client.send(&join("afterwards")).unwrap();
        until_async("it arrives", async || server::received_types(&user.id).await == ["join_session"]).await;
    }
}

#[wasm_bindgen_test]
async fn a_connection_that_is_cut_is_connected_to_again() {
    for cut in ["reset", "close"] {
        let user = User::new().await;
        let client = user.online().await;
        let log = listen(&client);
        faults::begin(json!({ "fault": cut })).await;
        until_async("it is back", async || server::connections(&user.id).await.accepted == 2).await;
        client.connected().await.unwrap();
        assert_eq!(log.closes(), [1006]);
    }
}

#[wasm_bindgen_test]
async fn gives_up_after_the_last_attempt_and_reconnect_revives_it() {
    let user = User::new().await;
    let mut config = quick();
    config.reconnect.max_attempts = 2;
    let client = Client::new(user.options().config(config)).unwrap();
    let log = listen(&client);
    let refusal = faults::refuse().await;
    client.connect().unwrap();
    assert_eq!(client.connected().await, Err(NotConnected::GaveUp { attempts: 2 }));
    let attempts = log.all().into_iter().filter_map(|event| match event {
        ClientEvent::Reconnecting { attempt, .. } => Some(attempt),
        _ => None,
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(log.count(|event| matches!(event, ClientEvent::GaveUp { attempts: 2 })), 1);
    assert_eq!(faults::hits(refusal).await, 3);

    faults::heal().await;
    client.reconnect().unwrap();
    client.connected().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_client_that_gave_up_starts_afresh_when_the_network_comes_back() {
    let user = User::new().await;
    let mut config = quick();
    config.reconnect.max_attempts = 0;
    let client = Client::new(user.options().config(config)).unwrap();
    faults::refuse().await;
    client.connect().unwrap();
    until_phase(&client, Phase::GivenUp).await;
    faults::heal().await;
    page::dispatch("online");
    client.connected().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_client_that_gave_up_starts_afresh_when_the_page_is_looked_at_or_runs_again() {
    for event in ["visibilitychange", "resume"] {
        let user = User::new().await;
        let mut config = quick();
        config.reconnect.max_attempts = 0;
        let client = Client::new(user.options().config(config)).unwrap();
        faults::refuse().await;
        client.connect().unwrap();
        until_phase(&client, Phase::GivenUp).await;
        faults::heal().await;
        page::dispatch_on_document(event);
        client.connected().await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_page_from_the_back_forward_cache_connects_anew_and_one_that_is_only_shown_does_not() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    page::show(false);
    assert_eq!((client.phase(), log.len()), (Phase::Open, 0));
    page::show(true);
    assert_eq!(client.phase(), Phase::Connecting);
    let is_cached = |event: &ClientEvent| matches!(event, ClientEvent::Closed(close) if close.reason == Reason::Client(Cause::PageCached));
    assert_eq!((log.count(is_cached), log.closes()), (1, vec![1000]));
    client.connected().await.unwrap();
    until_async("the first connection is gone", async || {
        server::connections(&user.id).await == server::Connections { open: 1, accepted: 2 }
    })
    .await;
}

#[wasm_bindgen_test]
async fn waits_for_the_network_and_connects_at_once_when_it_is_back() {
    let user = User::new().await;
    let mut config = quick();
    config.reconnect.initial_delay_ms = 600_000;
    config.reconnect.max_delay_ms = 600_000;
    let client = Client::new(user.options().config(config)).unwrap();
    client.connect().unwrap();
    client.connected().await.unwrap();
    faults::reset().await;
    until_phase(&client, Phase::Waiting).await;
    let seen = client.snapshot();
    assert!(seen.attempt == 1 && seen.retry_at.is_some(), "{seen:?}");
    page::dispatch("offline");
    assert_eq!(client.phase(), Phase::Offline);
    page::dispatch("online");
    client.connected().await.unwrap();
}

#[wasm_bindgen_test]
async fn an_open_connection_survives_a_network_change_that_does_not_concern_it() {
    let user = User::new().await;
    let client = user.online().await;
    page::dispatch("offline");
    page::dispatch("online");
    until("the probe is answered", || client.snapshot().last_rtt_ms.is_some()).await;
    assert_eq!(client.phase(), Phase::Open);
    assert_eq!(server::connections(&user.id).await.accepted, 1);
}

#[wasm_bindgen_test]
async fn a_client_that_is_disconnected_does_not_care_for_the_network() {
    let user = User::new().await;
    let client = user.online().await;
    client.disconnect();
    until_phase(&client, Phase::Idle).await;
    page::dispatch("online");
    assert_eq!(client.phase(), Phase::Idle);
}

#[wasm_bindgen_test]
async fn reconnect_replaces_an_open_connection() {
    let user = User::new().await;
    let client = user.online().await;
    client.reconnect().unwrap();
    assert_eq!(client.phase(), Phase::Connecting);
    client.connected().await.unwrap();
    until_async("the first connection is gone", async || {
        server::connections(&user.id).await == server::Connections { open: 1, accepted: 2 }
    })
    .await;
}
