//! Payloads that do not fit the type that they were subscribed with.

use everwire::client::{Client, ClientError, ClientEvent};
use everwire::events::masterx::{EmotionUpdate, Notification, TypingIndicator};
use everwire::proto::Phase;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::messages::collect;
use crate::server;
use crate::user::{User, listen};
use crate::waiting::{Log, until};

/// What is reported of each payload: the field, and what was expected there.
async fn reports(user: &User, log: &Log<ClientEvent>, kind: &str, payloads: &[Value]) -> Vec<(String, String)> {
    let before = log.errors().len();
    for data in payloads {
        server::raw(&user.id, &json!({ "type": kind, "data": data }).to_string()).await;
    }
    until("everything is reported", || log.errors().len() >= before + payloads.len()).await;
    let report = |event: ClientEvent| match event {
        ClientEvent::Error(error @ ClientError::Undecodable { .. }) => {
            let text = error.to_string();
            let ClientError::Undecodable { event, field, reason } = error else { return None };
            assert!(event == kind && text.contains(&field) && text.contains(&reason), "{text}");
            Some((field, reason))
        }
        _ => None,
    };
    log.all().into_iter().filter_map(report).skip(before).collect()
}

async fn subject() -> (User, Client, Log<ClientEvent>) {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    (user, client, log)
}

#[wasm_bindgen_test]
async fn a_payload_that_does_not_fit_is_reported_with_its_field_and_not_delivered() {
    let (user, client, log) = subject().await;
    let typing = collect::<TypingIndicator>(&client);
    let payloads = [
        json!({ "user_id": "u", "isTyping": "hunter2" }),
        json!({ "user_id": 7, "isTyping": true }),
        json!({ "isTyping": true }),
        json!("hunter2, expected nothing"),
        json!([1, 2]),
    ];
    let reports = reports(&user, &log, "typing_indicator", &payloads).await;
    let reports: Vec<_> = reports.iter().map(|(field, reason)| (&**field, &**reason)).collect();
    assert_eq!(
        reports[..3],
        [("isTyping", "expected a boolean"), ("user_id", "expected a string"), ("user_id", "it is missing"),]
    );
    for (field, reason) in &reports {
        assert!(!reason.contains("hunter2") && !reason.contains('7') && !field.contains("hunter2"), "{reason}");
    }
    server::push(&user.id, "typing_indicator", json!({ "user_id": "u", "isTyping": true })).await;
    assert_eq!(typing.holds(1).await.len(), 1);
    assert_eq!(client.phase(), Phase::Open);
}

#[wasm_bindgen_test]
async fn the_field_is_named_by_its_path() {
    let (user, client, log) = subject().await;
    let updates = collect::<EmotionUpdate>(&client);
    let emotion = |pad_values: Value, load: Value| {
        json!({ "message_id": "m", "emotion": {
            "primary_emotion": "joy", "intensity": 1.0, "pad_values": pad_values,
            "learning_readiness": 1, "cognitive_load": load,
        }})
    };
    let payloads = [
        emotion(json!({ "pleasure": 0, "arousal": "secret", "dominance": 0 }), json!(1)),
        emotion(json!({ "pleasure": 0, "arousal": 0 }), json!(1)),
        emotion(json!({ "pleasure": 0, "arousal": 0, "dominance": 0 }), json!(["secret"])),
    ];
    let reports = reports(&user, &log, "emotion_update", &payloads).await;
    let fields: Vec<_> = reports.iter().map(|(field, _)| &**field).collect();
    assert_eq!(
        fields,
        ["emotion.pad_values.arousal", "emotion.pad_values.dominance", "emotion.cognitive_load"],
        "{reports:?}"
    );
    assert!(!format!("{reports:?}").contains("secret"), "{reports:?}");
    assert_eq!(updates.len(), 0);
}

#[wasm_bindgen_test]
async fn a_payload_that_is_nested_too_deep_is_reported_and_breaks_nothing() {
    let (user, client, log) = subject().await;
    let notifications = collect::<Notification>(&client);
    let frame = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{{\"type\": \"notification\", \"data\": {{\"x\": {open}{close}}}}}")
    };
    for levels in [128, 3_000] {
        server::raw(&user.id, &frame(levels)).await;
    }
    server::raw(&user.id, &frame(127)).await;
    notifications.holds(1).await;
    assert_eq!(log.errors(), ["undecodable"; 2]);
}

#[wasm_bindgen_test]
async fn a_handler_of_another_type_hears_what_one_cannot_decode() {
    let (user, client, log) = subject().await;
    let raw = Log::new();
    let seen = raw.clone();
    client.subscribe_raw("typing_indicator", move |data, _| seen.add(data)).forget();
    let typed = collect::<TypingIndicator>(&client);
    reports(&user, &log, "typing_indicator", &[json!({})]).await;
    assert_eq!((raw.len(), typed.len()), (1, 0));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(default)]
    constructor: Option<String>,
    inner: Inner,
}
everwire::event!(Strict = "notification");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
enum Inner {
    #[serde(rename = "range")]
    Range { from: u8 },
}

#[wasm_bindgen_test]
async fn a_type_may_refuse_fields_and_gets_none_that_every_object_inherits() {
    let (user, client, log) = subject().await;
    let heard = Log::new();
    let seen = heard.clone();
    client
        .subscribe(move |Strict { constructor, inner: Inner::Range { from } }: Strict| seen.add((constructor, from)))
        .forget();
    let payloads = [
        json!({ "inner": { "range": { "from": 1 } }, "more": 1 }),
        json!({ "inner": { "range": { "from": 1, "to": 2 } } }),
    ];
    let reports = reports(&user, &log, "notification", &payloads).await;
    let reasons: Vec<_> = reports.iter().map(|(_, reason)| &**reason).collect();
    assert_eq!(reasons, ["expected `constructor` or `inner`", "expected `from`"]);
    server::push(&user.id, "notification", json!({ "inner": { "range": { "from": 3 } } })).await;
    assert_eq!(heard.holds(1).await, [(None, 3)]);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Refresh;
everwire::event!(Refresh = "notification");

#[wasm_bindgen_test]
async fn an_event_without_data_is_a_unit() {
    let (user, client, log) = subject().await;
    let heard = collect::<Refresh>(&client);
    reports(&user, &log, "notification", &[json!({ "more": 1 })]).await;
    server::push(&user.id, "notification", json!({})).await;
    assert_eq!(heard.holds(1).await, [Refresh]);
}
