//! What follows from the server's close codes.

use everwire::client::{Client, ClientEvent, NotConnected, TokenRequest};
use everwire::proto::Phase;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::server;
use crate::user::{User, listen, quick, until_phase};
use crate::waiting::{Log, until, until_async};

#[wasm_bindgen_test]
async fn a_server_that_goes_away_is_connected_to_again() {
    for code in [1000, 1001, 1011, 4000] {
        let user = User::new().await;
        let client = user.online().await;
        let log = listen(&client);
        server::close(&user.id, code).await;
        until_async("it is back", async || server::connections(&user.id).await.accepted == 2).await;
        client.connected().await.unwrap();
        assert_eq!(log.closes(), [code]);
    }
}

#[wasm_bindgen_test]
async fn a_server_that_asks_for_patience_gets_it() {
    for code in [1012, 1013] {
        let user = User::new().await;
        let client = user.online().await;
        let log = listen(&client);
        server::close(&user.id, code).await;
        until_async("it is back", async || server::connections(&user.id).await.accepted == 2).await;
        // WebKit on Linux takes these codes for a violation of the protocol and reports 1006, which is retried as usual.
        if log.closes() == [1006] {
            continue;
        }
        let delay = log.all().into_iter().find_map(|event| match event {
            ClientEvent::Reconnecting { delay_ms, .. } => Some(delay_ms),
            _ => None,
        });
        assert!(delay.unwrap() >= quick().reconnect.max_delay_ms, "{code}: {delay:?}");
        assert_eq!(log.closes(), [code]);
    }
}

#[wasm_bindgen_test]
async fn a_server_that_does_not_understand_is_left_alone() {
    for code in [1002, 1003, 1007, 1010] {
        let user = User::new().await;
        let client = user.online().await;
        let log = listen(&client);
        server::close(&user.id, code).await;
        until_phase(&client, Phase::Fatal).await;
        assert_eq!(log.count(|event| matches!(event, ClientEvent::Reconnecting { .. })), 0);
        let Err(NotConnected::Fatal(Some(close))) = client.connected().await else { panic!("{code}") };
        assert_eq!(close.code, code);
        client.connect().unwrap();
        client.connected().await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_refused_token_is_replaced_once() {
    for code in [1008, 4401] {
        let user = User::new().await;
        let asked = Log::new();
        let (log, token) = (asked.clone(), user.token.clone());
        let provider = move |request: TokenRequest| {
            log.add(request.refused);
            token.clone()
        };
        let client = Client::new(user.options().token_with(provider)).unwrap();
        client.connect().unwrap();
        client.connected().await.unwrap();
        server::close(&user.id, code).await;
        until_async("it is back", async || server::connections(&user.id).await.accepted == 2).await;
        client.connected().await.unwrap();
        assert_eq!(asked.all(), [false, true]);
        server::close(&user.id, code).await;
        until_phase(&client, Phase::Fatal).await;
        assert_eq!(asked.len(), 2);
    }
}

#[wasm_bindgen_test]
async fn a_server_that_echoes_is_alive_when_pings_and_their_answers_have_one_name() {
    let user = User::new().await;
    let mut config = quick();
    config.heartbeat.interval_ms = 30;
    let client = Client::new(user.options().config(config.clone()).heartbeat_names("echo", "echo")).unwrap();
    client.connect().unwrap();
    until("a ping is answered", || client.snapshot().last_rtt_ms.is_some()).await;

    config.heartbeat.timeout_ms = 300;
    let unanswered = Client::new(user.options().config(config).heartbeat_names("echo", "here")).unwrap();
    let log = listen(&unanswered);
    unanswered.connect().unwrap();
    until("it is given up", || log.closes().starts_with(&[1006])).await;
    assert_eq!(unanswered.snapshot().last_rtt_ms, None);
}
