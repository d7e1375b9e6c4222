//! Connecting: URLs, tokens, and the ways to stay closed.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::rc::Rc;

use everwire::client::{Client, ClientEvent, EndpointError, NotConnected, Options, TokenRequest};
use everwire::proto::close::{Cause, Reason};
use everwire::proto::{Close, Config, Phase};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::user::{User, listen, quick, until_phase};
use crate::waiting::{Log, until, until_async};
use crate::{faults, page, server};

#[wasm_bindgen_test]
async fn connects_with_a_token_and_tells_every_step() {
    let user = User::new().await;
    let client = user.client();
    let log = listen(&client);
    assert_eq!(client.phase(), Phase::Idle);
    client.connect().unwrap();
    assert_eq!(client.phase(), Phase::Connecting);
    client.connected().await.unwrap();
    let steps: Vec<_> = log.all().iter().map(|event| format!("{event:?}")).collect();
    assert!(matches!(log.all()[0], ClientEvent::Changed(ref seen) if seen.phase == Phase::Connecting), "{steps:?}");
    assert_eq!(log.count(|event| matches!(event, ClientEvent::Opened)), 1, "{steps:?}");
    until_async("the server sees it", async || server::connections(&user.id).await.open == 1).await;
}

/// `tests/server_rendering.rs` says the same of a server, whose page the browser takes over.
#[wasm_bindgen_test]
fn a_new_client_has_nothing_to_tell() {
    let expected = "Snapshot { phase: Idle, attempt: 0, retry_at: None, close: None, queued: 0, queued_bytes: 0, last_rtt_ms: None, \
                    delivery: Unknown, has_room: true, in_flight: 0, protocol_errors: 0 }";
    let client = Client::new(Options::new().config(Config::reliable())).unwrap();
    assert_eq!(format!("{:?}", client.snapshot()), expected);
    let mut config = Config::default();
    config.queue.max_messages = 0;
    let snapshot = format!("{:?}", Client::new(Options::new().config(config)).unwrap().snapshot());
    assert!(snapshot.contains("delivery: AtMostOnce, has_room: false"), "{snapshot}");
}

#[wasm_bindgen_test]
async fn connecting_twice_opens_one_socket() {
    let user = User::new().await;
    let client = user.client();
    client.connect().unwrap();
    client.connect().unwrap();
    client.connected().await.unwrap();
    client.connect().unwrap();
    until_async("the server sees it", async || server::connections(&user.id).await.open == 1).await;
    assert_eq!(server::connections(&user.id).await.accepted, 1);
}

#[wasm_bindgen_test]
async fn asks_for_a_token_before_every_attempt_and_says_that_the_last_was_refused() {
    let user = User::new().await;
    let expired = server::token(&user.id, -60).await;
    let asked = Log::new();
    let (log, good) = (asked.clone(), user.token.clone());
    let provider = move |request: TokenRequest| {
        log.add(request.refused);
        if request.refused { good.clone() } else { expired.clone() }
    };
    let client = Client::new(user.options().token_with(provider)).unwrap();
    let log = listen(&client);
    client.connect().unwrap();
    until("the second token is accepted", || asked.len() == 2 && client.phase() == Phase::Open).await;
    assert_eq!(asked.all(), [false, true]);
    assert_eq!(log.closes(), [1008]);
}

#[wasm_bindgen_test]
async fn waits_for_a_token_that_comes_later() {
    let user = User::new().await;
    let id = user.id.clone();
    let provider = move |_| {
        let id = id.clone();
        async move { Ok::<_, JsValue>(server::token(&id, 600).await) }
    };
    let client = Client::new(user.options().token_from(provider)).unwrap();
    client.connect().unwrap();
    client.connected().await.unwrap();
    server::close(&user.id, 1001).await;
    until_async("it is connected again", async || server::connections(&user.id).await.accepted == 2).await;
}

#[wasm_bindgen_test]
async fn a_token_function_that_fails_is_reported_and_asked_again() {
    let user = User::new().await;
    let asked = Rc::new(Cell::new(0));
    let (count, token) = (asked.clone(), user.token.clone());
    let provider = move |_| {
        count.set(count.get() + 1);
        let answer = if count.get() == 1 { Err("the vault is locked") } else { Ok(token.clone()) };
        async move { answer }
    };
    let client = Client::new(user.options().token_from(provider)).unwrap();
    let log = listen(&client);
    client.connect().unwrap();
    client.connected().await.unwrap();
    assert_eq!((asked.get(), log.errors()), (2, vec!["token_failed"]));
    let closed = log.all().into_iter().find_map(|event| match event {
        ClientEvent::Closed(close) => Some(close),
        _ => None,
    });
    assert_eq!(closed, Some(Close { code: 1006, reason: Reason::Client(Cause::NoToken), was_clean: false }));
    assert_eq!(Cause::NoToken.code(), "token_failed");
}

#[wasm_bindgen_test]
async fn a_token_function_that_throws_is_reported_and_asked_again() {
    let user = User::new().await;
    let asked = Rc::new(Cell::new(0));
    let (count, token) = (asked.clone(), user.token.clone());
    let provider = move |_| {
        count.set(count.get() + 1);
        if count.get() == 1 {
            wasm_bindgen::throw_str("the vault is locked");
        }
        token.clone()
    };
    let client = Client::new(user.options().token_with(provider)).unwrap();
    let log = listen(&client);
    client.connect().unwrap();
    client.connected().await.unwrap();
    assert_eq!((asked.get(), log.errors(), log.closes()), (2, vec!["token_failed"], vec![1006]));
}

#[wasm_bindgen_test]
async fn a_token_function_may_disconnect() {
    let user = User::new().await;
    let slot = Rc::new(RefCell::new(None::<Client>));
    let (own, token) = (slot.clone(), user.token.clone());
    let provider = move |_| {
        own.borrow().as_ref().unwrap().disconnect();
        token.clone()
    };
    let client = Client::new(user.options().token_with(provider)).unwrap();
    slot.replace(Some(client.clone()));
    client.connect().unwrap();
    assert_eq!(client.phase(), Phase::Idle);
    slot.replace(None);
    assert_eq!(server::connections(&user.id).await.accepted, 0);
}

#[wasm_bindgen_test]
async fn what_a_token_function_that_panics_leads_to_is_told_in_order() {
    let mut config = quick();
    config.reconnect.max_attempts = 0;
    let broken = |_: TokenRequest| -> String { panic!("this function is broken") };
    let later = async |_: TokenRequest| -> Result<String, JsValue> { panic!("this future is broken") };
    for options in [Options::new().token_with(broken), Options::new().token_from(later)] {
        let client = Client::new(options.url(faults::URL).config(config.clone())).unwrap();
        let log = listen(&client);
        client.connect().unwrap();
        assert_eq!(client.connected().await, Err(NotConnected::GaveUp { attempts: 0 }));
        let told: Vec<_> = log.all().iter().map(step).collect();
        assert_eq!(told, ["connecting", "token_failed", "closed", "gave up", "given_up"]);
    }
}

/// What an event says, in a word.
fn step(event: &ClientEvent) -> &'static str {
    match event {
        ClientEvent::Changed(snapshot) => snapshot.phase.code(),
        ClientEvent::Closed(_) => "closed",
        ClientEvent::Reconnecting { .. } => "reconnecting",
        ClientEvent::GaveUp { .. } => "gave up",
        ClientEvent::Error(error) => error.code(),
        _ => "another",
    }
}

#[wasm_bindgen_test]
async fn the_time_of_the_next_attempt_is_the_same_at_every_look() {
    let mut config = Config::default();
    (config.reconnect.initial_delay_ms, config.reconnect.max_delay_ms) = (10_000, 10_000);
    let broken = |_: TokenRequest| -> String { panic!("this function is broken") };
    let client = Client::new(Options::new().url(faults::URL).token_with(broken).config(config)).unwrap();
    client.connect().unwrap();
    until_phase(&client, Phase::Waiting).await;
    let shown = client.snapshot();
    page::sleep(30).await;
    assert!(shown.retry_at.is_some());
    assert_eq!(client.snapshot(), shown);
}

/// Says that it is dropped.
struct Dropped(Rc<Cell<u32>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[wasm_bindgen_test]
async fn a_token_that_nobody_waits_for_any_more_is_not_waited_for() {
    let mut config = quick();
    config.connect_timeout_ms = 20;
    let (asked, dropped) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (count, guard) = (asked.clone(), dropped.clone());
    let provider = move |_| {
        count.set(count.get() + 1);
        let held = Dropped(guard.clone());
        async move {
            let _held = held;
            pending::<Result<String, JsValue>>().await
        }
    };
    let client = Client::new(Options::new().url(faults::URL).token_from(provider).config(config)).unwrap();
    client.connect().unwrap();
    until("it has asked three times", || asked.get() == 3).await;
    until("two are given up", || dropped.get() == 2).await;
    client.disconnect();
    until("the third is given up", || dropped.get() == 3).await;
}

#[wasm_bindgen_test]
async fn a_token_that_never_comes_ends_the_attempt_after_the_connect_timeout() {
    let mut config = quick();
    config.connect_timeout_ms = 50;
    config.reconnect.max_attempts = 0;
    let provider = |_| pending::<Result<String, JsValue>>();
    let client = Client::new(Options::new().url(faults::URL).token_from(provider).config(config)).unwrap();
    client.connect().unwrap();
    assert_eq!(client.connected().await, Err(NotConnected::GaveUp { attempts: 0 }));
    assert_eq!(client.snapshot().close.unwrap().reason, Reason::Client(Cause::ConnectTimeout));
}

#[wasm_bindgen_test]
async fn a_handshake_that_is_not_answered_ends_the_attempt_after_the_connect_timeout() {
    let user = User::new().await;
    let mut config = quick();
    config.connect_timeout_ms = 200;
    config.reconnect.max_attempts = 0;
    let client = Client::new(user.options().config(config)).unwrap();
    faults::begin(json!({ "fault": "half_open" })).await;
    client.connect().unwrap();
    assert_eq!(client.connected().await, Err(NotConnected::GaveUp { attempts: 0 }));
    assert_eq!(client.snapshot().close.unwrap().reason, Reason::Client(Cause::ConnectTimeout));
    assert_eq!(server::connections(&user.id).await.accepted, 0);
    faults::heal().await;
}

#[wasm_bindgen_test]
async fn an_anonymous_user_is_refused_for_good_after_one_more_try_by_a_server_that_wants_a_token() {
    let user = User::new().await;
    let asked = Log::new();
    let log = asked.clone();
    let provider = move |request: TokenRequest| {
        log.add(request.refused);
        None
    };
    let client = Client::new(user.options().token_with(provider).anonymous(true)).unwrap();
    client.connect().unwrap();
    until_phase(&client, Phase::Fatal).await;
    let Err(NotConnected::Fatal(Some(close))) = client.connected().await else { panic!("not fatal") };
    assert_eq!((close.code, asked.all()), (1008, vec![false, true]));
}

#[wasm_bindgen_test]
async fn a_user_who_is_not_logged_in_is_waited_for_and_costs_no_attempt() {
    let user = User::new().await;
    let token = Rc::new(RefCell::new(None::<String>));
    let (at_once, later) = (token.clone(), token.clone());
    let sources = [
        user.options().token_with(move |_| at_once.borrow().clone()),
        user.options().token_from(move |_| ready(Ok::<_, JsValue>(later.borrow().clone()))),
    ];
    for options in sources {
        token.replace(None);
        let client = Client::new(options).unwrap();
        let log = listen(&client);
        client.connect().unwrap();
        assert_eq!(client.connected().await, Err(NotConnected::LoggedOut));
        assert_eq!((client.phase(), log.closes(), log.errors()), (Phase::LoggedOut, vec![], vec![]));
        token.replace(Some(String::new()));
        client.token_changed();
        assert_eq!(client.connected().await, Err(NotConnected::LoggedOut));
        token.replace(Some(user.token.clone()));
        client.token_changed();
        client.connected().await.unwrap();
        assert!(log.closes().is_empty());
    }
    assert_eq!(server::connections(&user.id).await.accepted, 2);
}

#[wasm_bindgen_test]
async fn nobody_waits_for_a_connection_that_was_not_asked_for() {
    let user = User::new().await;
    let client = user.client();
    assert_eq!(client.connected().await, Err(NotConnected::Disconnected));
    client.connect().unwrap();
    client.disconnect();
    assert_eq!(client.connected().await, Err(NotConnected::Disconnected));
}

#[wasm_bindgen_test]
async fn disconnect_stays_closed_until_connect() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    client.disconnect();
    until_phase(&client, Phase::Idle).await;
    assert_eq!(log.closes(), [1000]);
    assert_eq!(log.count(|event| matches!(event, ClientEvent::Reconnecting { .. })), 0);
    assert_eq!(client.snapshot().retry_at, None);
    until_async("the server sees it", async || server::connections(&user.id).await.open == 0).await;
    client.connect().unwrap();
    client.connected().await.unwrap();
    until_async("the server sees it", async || server::connections(&user.id).await.open == 1).await;
    assert_eq!(server::connections(&user.id).await.accepted, 2);
}

#[wasm_bindgen_test]
async fn dropping_the_last_handle_closes_the_connection() {
    let user = User::new().await;
    let client = user.online().await;
    let other = client.clone();
    let weak = client.downgrade();
    drop(client);
    assert_eq!(other.phase(), Phase::Open);
    drop(other);
    assert!(weak.upgrade().is_none());
    until_async("the server sees it", async || server::connections(&user.id).await.open == 0).await;
}

#[wasm_bindgen_test]
fn a_url_that_cannot_be_connected_to_is_refused_at_the_call() {
    for url in ["not a url", "//server.test", "ftp://example.com"] {
        let client = Client::new(Options::new().url(url)).unwrap();
        for refused in [client.connect(), client.reconnect()] {
            let error = refused.unwrap_err();
            assert!(matches!(error, EndpointError::Invalid { .. }), "{url}: {error}");
            assert_eq!(error.code(), "invalid_url");
        }
        assert_eq!(client.phase(), Phase::Idle);
    }
}

#[wasm_bindgen_test]
fn without_a_url_the_origin_of_the_page_is_connected_to() {
    for options in [Options::new(), Options::new().url("")] {
        let client = Client::new(options).unwrap();
        client.connect().unwrap();
        assert_eq!(client.phase(), Phase::Connecting);
    }
}

#[wasm_bindgen_test]
async fn a_url_and_a_path_may_have_query_parameters() {
    let user = User::new().await;
    let url = format!("{}/?tenant=a#part", faults::URL);
    let client = Client::new(user.options().url(url).path("api/ws?room=1#part")).unwrap();
    client.connect().unwrap();
    client.connected().await.unwrap();
    until_async("the server knows the user", async || server::connections(&user.id).await.open == 1).await;
}

#[wasm_bindgen_test]
async fn with_an_empty_path_the_url_is_the_endpoint() {
    let user = User::new().await;
    let url = format!("{}/api/ws?tenant=a", faults::URL);
    let client = Client::new(user.options().url(url).path("")).unwrap();
    client.connect().unwrap();
    client.connected().await.unwrap();
    until_async("the server knows the user", async || server::connections(&user.id).await.open == 1).await;
}

#[wasm_bindgen_test]
fn an_option_out_of_range_is_refused_at_construction() {
    let mut config = quick();
    config.reconnect.jitter = 2.0;
    let error = Client::new(Options::new().config(config)).unwrap_err();
    assert_eq!(error.field, "reconnect.jitter");
}

#[wasm_bindgen_test]
async fn the_token_is_in_no_text() {
    let user = User::new().await;
    let broken = format!("{}broken", user.token);
    let options = user.options().token(&*broken);
    let mut texts = vec![format!("{options:?}")];
    let client = Client::new(options).unwrap();
    let log = listen(&client);
    client.connect().unwrap();
    until_phase(&client, Phase::Fatal).await;
    texts.push(client.connected().await.unwrap_err().to_string());
    texts.push(format!("{client:?}"));
    texts.extend(log.all().iter().map(|event| format!("{event:?}")));
    assert!(texts.len() > 6, "{texts:?}");
    for text in texts {
        assert!(!text.contains(&user.token), "{text}");
    }
}
