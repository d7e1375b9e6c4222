//! Hostile frames for the message parser and everything behind it, for a bounded time.

use std::time::{Duration, Instant};

use everwire_axum::{Ending, Outgoing, Ticket};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use crate::{options::Options, server};

/// What a client might send: noise, JSON of any shape, envelopes with any payload, and damaged envelopes.
fn frame() -> impl Strategy<Value = String> {
    let json = any_json();
    let envelope = (any_type(), any_json())
        .prop_map(|(kind, data)| serde_json::json!({ "type": kind, "data": data, "timestamp": 0 }).to_string());
    let request = (any_type(), any_payload())
        .prop_map(|(kind, data)| serde_json::json!({ "type": kind, "data": data }).to_string());
    let damaged =
        (any_type(), any_payload(), any::<prop::sample::Index>(), any::<char>()).prop_map(|(kind, data, at, with)| {
            let text = serde_json::json!({ "type": kind, "data": data }).to_string();
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len());
            chars[at] = with;
            chars.into_iter().collect()
        });
    let numbered = (any_type(), any_payload(), any_number(), any_number(), any_json()).prop_map(
        |(kind, data, seq, prev, request)| {
            let mut frame = serde_json::json!({ "type": kind, "data": data, "seq": seq });
            // Left out in most messages, so that these are processed.
            if prev != serde_json::json!(NEXT) {
                frame["prev"] = prev;
            }
            if request.is_boolean() {
                frame["request"] = request;
            }
            frame.to_string()
        },
    );
    prop_oneof![
        4 => numbered,
        1 => any::<String>(),
        1 => json.prop_map(|value| value.to_string()),
        2 => envelope,
        4 => request,
        2 => damaged,
        1 => (0..5000_usize).prop_map(|depth| "[".repeat(depth)),
        1 => "-?[0-9]{1,400}(e-?[0-9]{1,5})?".prop_map(|number| format!(r#"{{"type":"echo","data":{{"n":{number}}}}}"#)),
    ]
}

fn any_type() -> impl Strategy<Value = String> {
    let known = prop::sample::select(
        &[
            "ping",
            "echo",
            "join_session",
            "leave_session",
            "user_typing",
            "message_sent",
            "join_match",
            "send_message",
            "typing",
            "read_message",
            "hello",
        ][..],
    );
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

/// A number, or what takes its place; [`NEXT`] stands for the one that is due.
fn any_number() -> impl Strategy<Value = Value> {
    prop_oneof![8 => Just(Value::from(NEXT)), 1 => (0..20_u64).prop_map(Value::from), 1 => any_json()]
}

fn any_client_id() -> impl Strategy<Value = Value> {
    prop_oneof![3 => "[A-Za-z0-9_-]{16,64}".prop_map(Value::from), 1 => Just(Value::from(TAB)), 1 => any_json()]
}

fn any_hello() -> impl Strategy<Value = Value> {
    let versions = prop_oneof![3 => Just(serde_json::json!([1])), 1 => any_json()];
    let position = prop_oneof![any::<u64>().prop_map(Value::from), any_json()];
    let positions = prop::collection::btree_map("user|client:[a-z]{0,200}|.{0,9}", position, 0..300);
    let streams = prop_oneof![
        4 => positions.prop_map(|map| Value::Object(map.into_iter().collect())),
        1 => any_json(),
    ];
    (versions, any_client_id(), streams).prop_map(|(versions, client_id, streams)| {
        serde_json::json!({ "versions": versions, "client_id": client_id, "streams": streams })
    })
}

fn any_payload() -> impl Strategy<Value = Value> {
    prop_oneof![1 => any_hello(), 6 => any_request()]
}

fn any_request() -> impl Strategy<Value = Value> {
    let id = || prop_oneof![Just(Value::from("s1")), Just(Value::from("m1")), any_json()];
    (id(), id(), id(), any_json(), any_json()).prop_map(|(session, match_id, message_id, content, flag)| {
        serde_json::json!({
            "session_id": session,
            "match_id": match_id,
            "message_id": message_id,
            "message": { "id": message_id, "content": content },
            "content": content,
            "client_id": message_id,
            "isTyping": flag,
            "is_typing": flag,
        })
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Frames until the time is up.
fn frames_for(duration: Duration) -> impl Iterator<Item = String> {
    let started = Instant::now();
    let mut runner = TestRunner::new(Config::default());
    std::iter::from_fn(move || {
        let frame = frame().new_tree(&mut runner).ok()?.current();
        (started.elapsed() < duration).then_some(frame)
    })
}

#[tokio::test]
async fn the_handlers_answer_any_text_with_an_envelope_or_a_close_code_of_the_protocol() {
    let flags = ["--dev", "--port", "0", "--rate-limit-per-minute", "0", "--record-frames", "0"];
    let server = server::Server::start(Options::from_flags(flags).unwrap()).await.unwrap();
    let app = server.app();
    app.matches.make("m1", ["ada".into(), "ben".into()], crate::messages::MatchStatus::Active).await.ok().unwrap();
    let hello = serde_json::json!({ "type": "hello", "data": { "versions": [1], "client_id": TAB } }).to_string();
    let mut frames = frames_for(BUDGET);
    let mut processed = 0;
    'connections: loop {
        let mut ada = server.engine().converse(&Ticket { user: "ada".into(), expires_at_ms: i64::MAX }).unwrap();
        assert!(ada.text(&hello).await.is_ok_and(|reply| reply.is_none()));
        loop {
            let Some(text) = frames.next() else { break 'connections };
            let last = ada.last();
            let text = text.replace(&NEXT.to_string(), &(last + 1).to_string());
            let handled = ada.text(&text).await;
            processed += u64::from(ada.last() > last);
            match handled {
                Ok(reply) => reply.iter().for_each(|reply| check(reply, &text)),
                Err(Ending::Close { code: 1009 | 4400 | 4409, .. }) => {
                    continue 'connections;
                }
                Err(ending) => panic!("{ending:?} for {text}"),
            }
            while let Some(queued) = ada.next_frame() {
                check(&queued, &text);
            }
        }
    }
    assert!(processed > 0);
}

fn check(frame: &Outgoing, text: &str) {
    let event: Value = serde_json::from_str(frame.frame().to_text().unwrap()).unwrap();
    assert!(event["type"].is_string() && event["data"].is_object(), "{text} gave {event}");
    assert_ne!(event["data"]["code"], "internal", "{text}");
}

const BUDGET: Duration = Duration::from_secs(3);
const TAB: &str = "k3Zq8vXw2LmN4pRt";
const NEXT: u64 = 4_242_424_242;
