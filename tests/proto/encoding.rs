//! What a client writes (docs/PROTOCOL.md).

use everwire::proto::{Message, Sequence, wire};
use everwire_kit::{CLIENT_ID, Json, ServerMemory, TestHarness, event, note, request};
use serde_json::json;

/// The texts of the latest socket without their times, which every one of them has.
fn written(harness: &TestHarness) -> Vec<Json> {
    let without_time = |text: &String| {
        let mut frame: Json = serde_json::from_str(text).expect("a client writes JSON");
        let time = frame.as_object_mut().and_then(|members| members.remove("timestamp"));
        assert!(time.is_some_and(|time| time.as_u64() > Some(1_600_000_000_000)), "{text}");
        frame
    };
    harness.last().texts.iter().map(without_time).collect()
}

fn left(seq: u64) -> Box<Message<String>> {
    let mut message = note("old");
    (message.origin, message.seq) = (Some("earlier".to_owned()), seq);
    message
}

#[test]
fn a_first_hello_names_versions_client_id_and_positions_and_a_ping_follows() {
    let mut harness = TestHarness::reliable(|_| {});
    let ping = json!({ "type": "ping", "data": {} });
    let hello =
        |streams| json!({ "type": "hello", "data": { "versions": [1], "client_id": CLIENT_ID, "streams": streams } });
    assert_eq!(written(&harness), [hello(json!({})), ping.clone()]);
    harness.push(event("user", 13));
    harness.come_back();
    assert_eq!(written(&harness), [hello(json!({ "user": 13 })), ping]);
}

#[test]
fn a_further_hello_names_no_positions_at_all() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 13));
    harness.restore([left(4)]);
    harness.advance(0);
    let hello = |client_id| json!({ "type": "hello", "data": { "versions": [1], "client_id": client_id } });
    let old = json!({ "type": "note", "data": { "text": "old" }, "seq": 4, "prev": 0 });
    assert_eq!(written(&harness)[2..], [hello("earlier"), old, hello(CLIENT_ID)]);
}

#[test]
fn a_plain_client_writes_neither_hello_nor_numbers() {
    let mut harness = TestHarness::open(|_| {});
    harness.say("a");
    harness.advance(30_000);
    let note = json!({ "type": "note", "data": { "text": "a" } });
    assert_eq!(written(&harness), [note, json!({ "type": "ping", "data": {} })]);
}

#[test]
fn the_number_before_is_written_only_where_it_is_not_one_less() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory::default());
    for text in ["a", "b", "c"] {
        harness.say(text);
    }
    assert!(harness.cancel(2));
    harness.connect();
    harness.advance(0);
    let texts = &harness.last().texts[2..];
    assert!(texts[0].ends_with(r#","seq":1}"#), "{}", texts[0]);
    assert!(texts[1].ends_with(r#","seq":3,"prev":1}"#), "{}", texts[1]);
}

#[test]
fn a_request_says_so() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(request("a", 5_000)).unwrap();
    let asked = json!({ "type": "note", "data": { "text": "a" }, "request": true, "seq": 1 });
    assert_eq!(written(&harness)[2..], [asked]);
}

#[test]
fn the_example_of_the_envelope_is_written_as_it_stands_in_the_document() {
    let document = include_str!("../../docs/PROTOCOL.md");
    let example = document.lines().find(|line| line.starts_with(r#"{"type": "user_typing""#)).expect("an example");
    let data = json!({ "session_id": "s1", "isTyping": true });
    let text = wire::message::<Json>(&"user_typing".to_owned(), data, 1_795_251_600_000);
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), serde_json::from_str::<Json>(example).unwrap());
}

#[test]
fn numbers_take_47_bytes_at_most() {
    let frame = note("a").frame;
    let most = (1 << 53) - 1;
    let longest = wire::with_sequence(&frame, Sequence { seq: most, prev: most - 2 });
    assert_eq!(longest.len() - frame.len(), 47);
}

#[test]
fn what_a_payload_says_of_numbers_stays_in_the_payload() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(everwire_kit::message("note", json!({ "text": "\"},\\\"seq\":9}", "seq": 9, "prev": 8 }))).unwrap();
    let expected = json!({ "type": "note", "data": { "text": "\"},\\\"seq\":9}", "seq": 9, "prev": 8 }, "seq": 1 });
    assert_eq!(written(&harness)[2..], [expected]);
}
