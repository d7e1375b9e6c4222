//! The Rust client where there is no JavaScript, as on a server that renders pages.

#![cfg(all(not(target_arch = "wasm32"), feature = "web"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
#[cfg(feature = "json")]
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use everwire::client::{Client, Diagnostics, NotConnected, Options, SendOptions, SessionRule};
use everwire::events::masterx::{JoinSession, Notification};
use everwire::proto::{Config, Phase};
use futures_util::StreamExt;
use futures_util::stream::FusedStream;
use wasm_bindgen::JsValue;

/// The result of a future that does not wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}

fn client() -> Client {
    let options = Options::new().url("https://learn.example").path("/ws").token("secret");
    Client::new(options.config(Config::reliable())).unwrap()
}

#[cfg(feature = "json")]
#[test]
fn conversations_are_empty_and_stay_so_whatever_is_done_to_them() {
    use everwire::client::{ChatOptions, ChatPage};
    use everwire::session::ChatKind;

    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    let load = move |_| {
        count.set(count.get() + 1);
        async { Ok::<_, String>(ChatPage::default()) }
    };
    let chat = client().session_chat("algebra", ChatOptions::new().user_id("ada").load_earlier(load));
    let empty = chat.snapshot();
    chat.send("hello");
    chat.key_pressed();
    chat.stopped();
    chat.mark_as_read();
    chat.retry("m1");
    chat.discard("m1");
    at_once(chat.load_earlier()).unwrap();
    assert!(empty.messages.is_empty() && Arc::ptr_eq(&empty, &chat.snapshot()));
    assert_eq!((chat.id(), chat.kind(), asked.get()), ("algebra", ChatKind::Session, 0));
    let mut snapshots = chat.snapshots();
    assert_eq!(at_once(snapshots.next()), Some(empty));
    assert!(snapshots.is_terminated());
    assert_eq!(at_once(snapshots.next()), None);
    drop(chat.clone());
}

fn join() -> JoinSession {
    JoinSession { session_id: "algebra".into() }
}

#[test]
fn a_client_stays_idle_whatever_it_is_asked() {
    let client = client();
    client.connect().unwrap();
    assert_eq!(client.phase(), Phase::Idle);
    client.reconnect().unwrap();
    client.disconnect();
    client.forget();
    assert_eq!((client.phase(), client.cancel(1), client.latest_seq()), (Phase::Idle, false, 0));
    let weak = client.downgrade();
    drop(client.clone());
    assert!(weak.upgrade().is_some());
    drop(client);
    assert!(weak.upgrade().is_none());
}

#[test]
fn tokens_are_not_asked_for() {
    let asked = Rc::new(Cell::new(0));
    let (one, two) = (asked.clone(), asked.clone());
    let with = Options::new().token_with(move |_| {
        one.set(one.get() + 1);
        None
    });
    let from = Options::new().token_from(move |_| {
        two.set(two.get() + 1);
        async { Ok::<_, JsValue>(String::new()) }
    });
    for options in [with, from] {
        Client::new(options).unwrap().connect().unwrap();
    }
    assert_eq!(asked.get(), 0);
}

#[test]
fn handlers_are_let_go_of_and_never_called() {
    let client = client();
    let kept = Rc::new(());
    let [typed, raw, listener] = [kept.clone(), kept.clone(), kept.clone()];
    let subscriptions = [
        client.subscribe(move |_: Notification| drop(typed.clone())),
        client.subscribe_raw("notification", move |_, _| drop(raw.clone())),
        client.on_event(move |_| drop(listener.clone())),
    ];
    assert_eq!((client.handlers(), Rc::strong_count(&kept)), (0, 1));
    client.connect().unwrap();
    for subscription in subscriptions {
        subscription.unsubscribe();
    }
    let left = Diagnostics::take();
    assert_eq!((left.closures, left.sockets), (0, 0));
}

#[test]
fn what_is_sent_is_refused() {
    let client = client();
    let options = SendOptions::new().volatile();
    for refused in
        [client.send(&join()), client.send_with(&join(), &options), client.send_raw("x", &JsValue::UNDEFINED)]
    {
        let error = refused.unwrap_err();
        assert_eq!(error.code(), "no_javascript");
        assert!(error.to_string().contains("server"), "{error}");
    }
}

#[test]
fn nothing_is_waited_for() {
    let client = client();
    assert_eq!(at_once(client.connected()), Err(NotConnected::Disconnected));
    at_once(client.when_room());
    let refused = at_once(client.request::<_, u32>(&join(), 1_000)).unwrap_err();
    assert_eq!(refused.code(), "no_javascript");
    let refused = at_once(client.request_raw("x", &JsValue::UNDEFINED, 1_000)).unwrap_err();
    assert_eq!(refused.code(), "no_javascript");
}

#[test]
fn streams_end_at_once_after_the_one_snapshot() {
    let client = client();
    let mut snapshots = client.snapshots();
    assert_eq!(at_once(snapshots.next()), Some(client.snapshot()));
    assert_eq!((at_once(snapshots.next()), snapshots.is_terminated()), (None, true));
    assert!(at_once(client.events::<Notification>().next()).is_none());
    assert!(at_once(client.connection_events().capacity(0).next()).is_none());
}

/// `connecting::a_new_client_has_nothing_to_tell` says the same of the browser, which takes over what the server has rendered.
#[test]
fn a_new_client_has_nothing_to_tell() {
    let expected = "Snapshot { phase: Idle, attempt: 0, retry_at: None, close: None, queued: 0, queued_bytes: 0, last_rtt_ms: None, \
                    delivery: Unknown, has_room: true, in_flight: 0, protocol_errors: 0 }";
    assert_eq!(format!("{:?}", client().snapshot()), expected);
    let mut config = Config::default();
    config.queue.max_messages = 0;
    let snapshot = format!("{:?}", Client::new(Options::new().config(config)).unwrap().snapshot());
    assert!(snapshot.contains("delivery: AtMostOnce, has_room: false"), "{snapshot}");
}

#[test]
fn options_of_sockets_are_checked() {
    let reliable = || Options::new().config(Config::reliable());
    for (options, field) in [
        (Options::new().protocols(["chat", "chat"]), "protocols"),
        (Options::new().protocols(["two words"]), "protocols"),
        (Options::new().protocols([""]), "protocols"),
        (Options::new().token_param(""), "tokenParam"),
        (Options::new().auth_event(""), "authEvent"),
        (reliable().auth_event("hello"), "authEvent"),
        (Options::new().heartbeat_names("", "pong"), "heartbeat.ping"),
        (reliable().heartbeat_names("ping", "here"), "heartbeat.pong"),
        (Options::new().sessions([SessionRule::new("", "id")]), "sessions"),
        (Options::new().sessions([SessionRule::new("join", "")]), "sessions"),
        (Options::new().sessions([SessionRule::new("join", "id").leave("join")]), "sessions"),
    ] {
        assert_eq!(Client::new(options).unwrap_err().field, field);
    }
    for signs in ["chat.v2", "!#$%&'*+-.^_`|~", "azAZ09"] {
        assert!(Client::new(Options::new().protocols([signs])).is_ok(), "{signs}");
    }
    for sign in "\"(),/:;<=>?@[\\]{} \u{7f}é\n".chars() {
        assert!(Client::new(Options::new().protocols([sign])).is_err(), "{sign:?}");
    }
    assert!(Client::new(Options::new().auth_event("hello")).is_ok());
}

#[test]
fn options_are_checked_and_the_token_is_in_no_text() {
    let mut config = Config::default();
    config.reconnect.jitter = 2.0;
    let error = Client::new(Options::new().config(config)).unwrap_err();
    assert_eq!(error.field, "reconnect.jitter");
    assert!(!format!("{:?} {:?}", Options::new().token("secret"), client()).contains("secret"));
}
