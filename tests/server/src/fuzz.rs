//! Hostile frames for the message parser and everything behind it, for a bounded time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use crate::{dispatch, envelope, options::Options, server};

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
    prop_oneof![
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
        ][..],
    );
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_payload() -> impl Strategy<Value = Value> {
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

#[test]
fn the_parser_takes_or_refuses_any_text() {
    let mut taken = 0;
    let mut refused = 0;
    for text in frames_for(BUDGET) {
        match envelope::frame(&text).1 {
            Ok(envelope) => {
                let again = serde_json::json!({
                    "type": envelope.kind, "data": envelope.data, "timestamp": envelope.timestamp.unwrap_or(0),
                });
                assert!(envelope::frame(&again.to_string()).1.is_ok(), "{text}");
                taken += 1;
            }
            Err(envelope::Malformed(reason)) => {
                assert!(reason.len() < 400, "{reason}");
                refused += 1;
            }
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
}

#[tokio::test]
async fn the_handlers_answer_any_text_with_an_envelope_or_nothing() {
    let flags = ["--dev", "--port", "0", "--rate-limit-per-minute", "0", "--record-frames", "0"];
    let server = server::Server::start(Options::from_flags(flags).unwrap()).await.unwrap();
    let app = server.app();
    app.matches.make("m1", ["ada".into(), "ben".into()]).await.ok().unwrap();
    let (ada, _inbox) = app.connect(&Arc::from("ada"), None).ok().unwrap();
    let mut sender = None;
    for text in frames_for(BUDGET) {
        let Ok(Some(reply)) = dispatch::text(app, &ada, &mut sender, &text).await else { continue };
        let reply: Value = serde_json::from_str(reply.frame.to_text().unwrap()).unwrap();
        assert!(reply["type"].is_string() && reply["data"].is_object(), "{text} gave {reply}");
        assert_ne!(reply["data"]["code"], "internal", "{text}");
    }
}

const BUDGET: Duration = Duration::from_secs(3);
