//! Typed events, both ways.

use std::collections::BTreeMap;

use everwire::client::{Client, ClientEvent, SendError, SendOptions};
use everwire::events::ExtraFields;
use everwire::events::WireEvent;
use everwire::events::masterx::{
    EmotionUpdate, JoinSession, LeaveSession, Level, MessageReceived, MessageSent, Notification, OutgoingMessage,
    ServerError, TypingIndicator, UserTyping,
};
use everwire::proto::{DropReason, Refusal, Sent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::user::{User, listen};
use crate::waiting::{Log, until_async};
use crate::{page, server};

/// Keeps every event of one type.
pub fn collect<E: WireEvent + DeserializeOwned + Clone + 'static>(client: &Client) -> Log<E> {
    let log = Log::new();
    let seen = log.clone();
    client.subscribe(move |event: E| seen.add(event)).forget();
    log
}

pub fn join(session: &str) -> JoinSession {
    JoinSession { session_id: session.into() }
}

pub fn message(session: &str, content: &str) -> MessageSent {
    let message = OutgoingMessage { id: page::random_name(), content: content.into(), more: ExtraFields::new() };
    MessageSent { session_id: session.into(), message }
}

#[wasm_bindgen_test]
async fn a_typed_event_arrives_with_every_field() {
    let user = User::new().await;
    let client = user.online().await;
    let updates = collect::<EmotionUpdate>(&client);
    let sent = server::emotion(&user.id, "m1").await;
    let update = updates.holds(1).await.remove(0);
    assert_eq!(update.message_id, "m1");
    assert_eq!(serde_json::to_value(&update).unwrap(), sent);
}

#[wasm_bindgen_test]
async fn open_payloads_keep_what_the_catalogue_does_not_name() {
    let user = User::new().await;
    let client = user.online().await;
    let notifications = collect::<Notification>(&client);
    let data = json!({ "text": "hello", "nested": { "list": [1.5, null, true, "x"] } });
    server::push(&user.id, "notification", data.clone()).await;
    let notification = notifications.holds(1).await.remove(0);
    assert_eq!(serde_json::to_value(&notification).unwrap(), data);
    assert_eq!(notification.text.as_deref(), Some("hello"));
}

#[wasm_bindgen_test]
async fn a_level_may_be_a_number_or_a_name() {
    let user = User::new().await;
    let client = user.online().await;
    let updates = collect::<EmotionUpdate>(&client);
    let emotion = json!({
        "primary_emotion": "joy", "intensity": 1, "pad_values": { "pleasure": 1, "arousal": 0, "dominance": -1 },
        "learning_readiness": "high", "cognitive_load": 0.25,
    });
    let frame = json!({ "type": "emotion_update", "data": { "message_id": "m", "emotion": emotion } });
    server::raw(&user.id, &frame.to_string()).await;
    let emotion = updates.holds(1).await.remove(0).emotion;
    assert_eq!(emotion.learning_readiness, Some(Level::Name("high".into())));
    assert_eq!(emotion.cognitive_load, Some(Level::Share(0.25)));
}

#[wasm_bindgen_test]
async fn what_is_sent_arrives_as_an_envelope() {
    let user = User::new().await;
    let client = user.online().await;
    assert_eq!(client.send(&join("algebra")).unwrap(), Sent::Now);
    assert_eq!(client.send(&LeaveSession { session_id: "algebra".into() }).unwrap(), Sent::Now);
    until_async("both are there", async || server::received(&user.id).await.len() == 2).await;
    let received = server::received(&user.id).await;
    assert_eq!(received[0].kind, "join_session");
    assert_eq!(received[0].data, json!({ "session_id": "algebra" }));
    assert_eq!(received[1].kind, "leave_session");
}

#[wasm_bindgen_test]
async fn two_users_talk_in_a_session() {
    let (ann, bob) = (User::new().await, User::new().await);
    let session = page::random_name();
    let (anns, bobs) = (ann.online().await, bob.online().await);
    let heard = collect::<MessageReceived>(&bobs);
    let typing = collect::<TypingIndicator>(&bobs);
    for (user, client) in [(&ann, &anns), (&bob, &bobs)] {
        client.send(&join(&session)).unwrap();
        until_async("the session is joined", async || server::received(&user.id).await.len() == 1).await;
    }
    anns.send(&UserTyping { session_id: session.clone(), is_typing: true }).unwrap();
    anns.send(&message(&session, "hello, Bob ✓")).unwrap();
    assert_eq!(heard.holds(1).await[0].message.content, "hello, Bob ✓");
    let session_id = Some(session);
    assert_eq!(typing.all(), [TypingIndicator { user_id: ann.id.clone(), session_id, is_typing: true }]);
}

#[wasm_bindgen_test]
async fn the_servers_own_error_event_is_an_event_and_no_error_of_the_client() {
    let user = User::new().await;
    let client = user.online().await;
    let log = listen(&client);
    let errors = collect::<ServerError>(&client);
    client.send(&message("a session never joined", "hello")).unwrap();
    assert!(!errors.holds(1).await[0].message.is_empty());
    assert!(log.errors().is_empty());
}

#[wasm_bindgen_test]
async fn a_message_that_is_too_large_is_refused_and_goes_nowhere() {
    let user = User::new().await;
    let client = user.online().await;
    // Characters of three bytes each: the limit counts bytes.
    let refused = client.send(&message("s", &"✓".repeat(4_000))).unwrap_err();
    let SendError::Refused(Refusal::TooLarge { bytes, max }) = refused else { panic!("{refused}") };
    assert!(bytes > 12_000 && max == 10_240, "{bytes} {max}");
    client.disconnect();
    assert_eq!(client.send(&message("s", &"x".repeat(20_000))).unwrap_err().code(), "too_large");
    assert_eq!(client.snapshot().queued, 0);
    assert!(server::received(&user.id).await.is_empty());
}

#[derive(Serialize)]
struct Odd {
    fine: u8,
    account: Account,
}

#[derive(Serialize)]
struct Account {
    number: u64,
}

everwire::event!(Odd = "odd");

/// With a member that is the prototype of an object elsewhere.
#[derive(Serialize)]
struct Inherited {
    #[serde(rename = "__proto__")]
    prototype: Option<String>,
}

everwire::event!(Inherited = "inherited");

#[derive(Serialize)]
struct Labels {
    labels: BTreeMap<String, f64>,
}

everwire::event!(Labels = "labels");

#[derive(Serialize)]
struct Bare(Vec<u8>);

everwire::event!(Bare = "bare");

#[derive(Serialize)]
struct Deep {
    inner: Option<Box<Self>>,
}

everwire::event!(Deep = "deep");

#[derive(Clone, Serialize)]
struct Draft {
    board: String,
    text: String,
}
everwire::event!(Draft = "draft", |draft| SendOptions::new().coalesce(&draft.board));

#[derive(Serialize)]
struct Pointer {
    x: f64,
}
everwire::event!(Pointer = "pointer", |_pointer| SendOptions::new().volatile());

#[wasm_bindgen_test]
async fn an_own_event_says_how_it_waits_and_a_call_may_say_otherwise() {
    let user = User::new().await;
    let client = user.client();
    let log = listen(&client);
    let draft = |board: &str, text: &str| Draft { board: board.into(), text: text.into() };
    for draft in [draft("a", "one"), draft("b", "two"), draft("a", "three")] {
        assert_eq!(client.send(&draft).unwrap(), Sent::Queued);
    }
    client.send_with(&draft("a", "four"), &SendOptions::new().coalesce("own")).unwrap();
    assert_eq!(client.snapshot().queued, 3);
    let is_replaced = |event: &ClientEvent| matches!(event, ClientEvent::Dropped { reason: DropReason::Replaced, .. });
    assert_eq!(log.count(is_replaced), 1);
    assert_eq!(client.send(&Pointer { x: 0.5 }).unwrap_err().code(), Refusal::NotOpen.code());
    client.connect().unwrap();
    until_async("all are there", async || server::received(&user.id).await.len() == 3).await;
    let received = server::received(&user.id).await;
    let texts: Vec<_> = received.iter().map(|frame| frame.data["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["two", "three", "four"]);
}

#[wasm_bindgen_test]
async fn what_is_nested_deeper_than_63_levels_in_its_envelope_is_refused() {
    let user = User::new().await;
    let client = user.client();
    let deep = |levels| (1..levels).fold(Deep { inner: None }, |deep, _| Deep { inner: Some(deep.into()) });
    assert_eq!(client.send(&deep(63)).unwrap(), Sent::Queued);
    assert_eq!(client.send(&deep(64)).unwrap_err().code(), "unserialisable");
    assert_eq!(client.send_raw("x", &page::nested(63)).unwrap(), Sent::Queued);
    assert_eq!(client.send_raw("x", &page::nested(64)).unwrap_err().code(), "unserialisable");
    assert_eq!(client.snapshot().queued, 2);
}

#[wasm_bindgen_test]
async fn what_is_sent_is_well_formed() {
    let user = User::new().await;
    let client = user.online().await;
    client.send_raw("a \"name\", \"data\":{}", &page::lone_surrogate()).unwrap();
    until_async("it is there", async || server::received(&user.id).await.len() == 1).await;
    let received = server::received(&user.id).await.remove(0);
    assert_eq!(received.kind, "a \"name\", \"data\":{}");
    assert_eq!(received.data, json!({ "lone": "\u{fffd}", "pair": "😀", "text": "\\ud83d" }));
}

#[wasm_bindgen_test]
async fn what_cannot_be_written_as_json_is_refused_with_its_field() {
    let user = User::new().await;
    let client = user.client();
    let refused = client.send(&Odd { fine: 1, account: Account { number: u64::MAX } }).unwrap_err();
    let SendError::Unserialisable { ref field, .. } = refused else { panic!("{refused}") };
    assert_eq!(field, "account.number");
    assert!(!refused.to_string().contains(&u64::MAX.to_string()), "{refused}");
    for (lost, name) in [
        (client.send(&Inherited { prototype: Some("x".into()) }), "__proto__"),
        (client.send(&Labels { labels: [("__proto__".into(), 1.0)].into() }), "labels.__proto__"),
        (client.send(&Labels { labels: [("low".into(), f64::NEG_INFINITY)].into() }), "labels.low"),
        (client.send(&Labels { labels: [("none".into(), f64::NAN)].into() }), "labels.none"),
    ] {
        let SendError::Unserialisable { ref field, .. } = lost.unwrap_err() else { panic!("{name}") };
        assert_eq!(field, name);
    }
    assert_eq!(client.send(&Bare(vec![1])).unwrap_err().code(), "invalid_data");
    assert_eq!(client.send_raw("x", &page::cyclic()).unwrap_err().code(), "unserialisable");
    for name in ["", &"x".repeat(129)] {
        assert_eq!(client.send_raw(name, &JsValue::UNDEFINED).unwrap_err().code(), "invalid_event");
    }
    for no_object in [JsValue::from("text"), JsValue::from(1), js_sys::Array::new().into(), page::function()] {
        assert_eq!(client.send_raw("x", &no_object).unwrap_err().code(), "invalid_data");
    }
    assert_eq!(client.snapshot().queued, 0);
    assert_eq!(client.send_raw("x", &JsValue::UNDEFINED).unwrap(), Sent::Queued);
}
