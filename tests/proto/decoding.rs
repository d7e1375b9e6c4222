//! What a frame means, in the words of a server, right and wrong (docs/PROTOCOL.md).

use everwire::proto::wire::{Frame, FrameKind, ReceiptStatus, StreamOffset, Welcome, decode, parse};
use everwire::proto::{Phase, ProtocolViolation};
use everwire_kit::{CLIENT_ID, TestHarness};

fn decoded(text: &str) -> Frame<String> {
    let frame = parse(text).unwrap_or_else(|| panic!("{text} is no envelope"));
    decode(&frame, &CLIENT_ID.to_owned())
}

fn kind(text: &str) -> FrameKind<String> {
    decoded(text).kind
}

/// What stands for a count and is none.
const NO_COUNTS: [&str; 9] = ["1.5", "-1", "9007199254740992", "1e300", "\"1\"", "null", "true", "[1]", "{}"];

#[test]
fn an_envelope_is_a_json_object_with_a_string_type() {
    for text in ["", "ping", "[]", "null", "\"ping\"", "{}", r#"{"type":1}"#, r#"{"type":null}"#, r#"{"type":"x"} y"#] {
        assert!(parse(text).is_none(), "{text}");
    }
    for text in [r#"{"type":""}"#, r#" {"data":null,"type":"x","type":"y"} "#] {
        assert!(parse(text).is_some(), "{text}");
    }
}

#[test]
fn every_other_type_is_an_event_whatever_it_holds() {
    for text in [
        r#"{"type":"notification"}"#,
        r#"{"type":"hello","data":{"seq":"x"}}"#,
        r#"{"type":"Pong"}"#,
        r#"{"type":"","data":[]}"#,
        r#"{"type":"error","data":{"code":"internal","about":"ping"}}"#,
        r#"{"type":"error","data":{"about":["hello"]}}"#,
        r#"{"type":"error"}"#,
        r#"{"type":"error","data":"hello"}"#,
        r#"{"type":"x","offset":5,"prev":4,"client_id":"k3Zq8vXw2LmN4pRt"}"#,
    ] {
        assert_eq!(decoded(text), Frame { kind: FrameKind::Event, place: None, is_own: false }, "{text}");
    }
}

#[test]
fn pongs_need_nothing_but_their_type() {
    for text in [r#"{"type":"pong"}"#, r#"{"type":"pong","data":7}"#] {
        assert_eq!(kind(text), FrameKind::Pong, "{text}");
    }
}

#[test]
fn an_error_about_the_hello_without_a_number_refuses_it() {
    assert_eq!(kind(r#"{"type":"error","data":{"about":"hello","code":"unknown_type"}}"#), FrameKind::HelloRefused);
    assert_eq!(kind(r#"{"type":"error","data":{"about":"hello","seq":4}}"#), FrameKind::Refused { seq: 4 });
}

#[test]
fn answers_name_a_message_by_its_number() {
    for (text, expected) in [
        (r#"{"type":"ack","data":{"seq":0}}"#, FrameKind::Ack { seq: 0 }),
        (r#"{"type":"ack","data":{"seq":9007199254740991}}"#, FrameKind::Ack { seq: (1 << 53) - 1 }),
        (r#"{"type":"ack","data":{"seq":2.0}}"#, FrameKind::Ack { seq: 2 }),
        (r#"{"type":"error","data":{"seq":3,"code":"not_joined"}}"#, FrameKind::Refused { seq: 3 }),
        (r#"{"type":"reply","data":{"seq":3,"result":{}}}"#, FrameKind::Reply { seq: 3 }),
        (
            r#"{"type":"receipt","data":{"seq":3,"status":"delivered"}}"#,
            FrameKind::Receipt { seq: 3, status: ReceiptStatus::Delivered },
        ),
        (
            r#"{"type":"receipt","data":{"seq":3,"status":"read"}}"#,
            FrameKind::Receipt { seq: 3, status: ReceiptStatus::Read },
        ),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
}

#[test]
fn answers_without_a_right_number_are_malformed() {
    for (word, rest) in [("ack", ""), ("error", ""), ("reply", ""), ("receipt", r#","status":"read""#)] {
        for number in NO_COUNTS {
            let text = format!(r#"{{"type":"{word}","data":{{"seq":{number}{rest}}}}}"#);
            assert_eq!(kind(&text), FrameKind::Malformed, "{text}");
        }
        if word != "ack" {
            let text = format!(r#"{{"type":"{word}","data":{{"seq":0{rest}}}}}"#);
            assert_eq!(kind(&text), FrameKind::Malformed, "{text}");
        }
    }
    for text in [
        r#"{"type":"ack"}"#,
        r#"{"type":"ack","data":null}"#,
        r#"{"type":"ack","data":[1]}"#,
        r#"{"type":"ack","seq":1}"#,
        r#"{"type":"reply","data":{}}"#,
        r#"{"type":"receipt","data":{"seq":3}}"#,
        r#"{"type":"receipt","data":{"seq":3,"status":"lost"}}"#,
        r#"{"type":"receipt","data":{"seq":3,"status":1}}"#,
        r#"{"type":"receipt","data":{"status":"read"}}"#,
    ] {
        assert_eq!(kind(text), FrameKind::Malformed, "{text}");
    }
}

#[test]
fn a_welcome_has_defaults_for_what_it_leaves_out() {
    let bare = Welcome { epoch: 1, last: 0, window: 128, max_bytes: u64::MAX, remember_ms: u64::MAX, streams: vec![] };
    let text = r#"{"type":"welcome","data":{"version":1,"epoch":1,"last":0}}"#;
    assert_eq!(kind(text), FrameKind::Welcome(bare));
    let text = r#"{"type":"welcome","data":{"version":1,"epoch":7,"last":4,"window":3,"max_bytes":200,
        "remember_ms":604800000,"streams":{"user":12,"client:a":0},"more":[]},"stream":5}"#;
    let streams = vec![("client:a".to_owned(), 0), ("user".to_owned(), 12)];
    let full = Welcome { epoch: 7, last: 4, window: 3, max_bytes: 200, remember_ms: 604_800_000, streams };
    assert_eq!(decoded(text), Frame { kind: FrameKind::Welcome(full), place: None, is_own: false });
}

#[test]
fn a_window_is_from_1_to_1024() {
    for (window, expected) in [(0, 1), (1, 1), (1_024, 1_024), (1_025, 1_024), ((1_u64 << 53) - 1, 1_024)] {
        let text = format!(r#"{{"type":"welcome","data":{{"version":1,"epoch":1,"last":0,"window":{window}}}}}"#);
        assert!(matches!(kind(&text), FrameKind::Welcome(Welcome { window, .. }) if window == expected), "{text}");
    }
}

#[test]
fn a_welcome_with_a_wrong_field_is_malformed() {
    let fields = ["version", "epoch", "last", "window", "max_bytes", "remember_ms"];
    for wrong in fields {
        for number in NO_COUNTS {
            let member = |field: &str| format!(r#""{field}":{}"#, if field == wrong { number } else { "1" });
            let text = format!(r#"{{"type":"welcome","data":{{{}}}}}"#, fields.map(member).join(","));
            assert_eq!(kind(&text), FrameKind::Malformed, "{text}");
        }
    }
    for data in [
        "null",
        "{}",
        r#"{"epoch":1,"last":0}"#,
        r#"{"version":1,"last":0}"#,
        r#"{"version":1,"epoch":1}"#,
        r#"{"version":2,"epoch":1,"last":0}"#,
        r#"{"version":1,"epoch":0,"last":0}"#,
        r#"{"version":1,"epoch":1,"last":0,"max_bytes":0}"#,
        r#"{"version":1,"epoch":1,"last":0,"remember_ms":0}"#,
        r#"{"version":1,"epoch":1,"last":0,"streams":null}"#,
        r#"{"version":1,"epoch":1,"last":0,"streams":["user"]}"#,
        r#"{"version":1,"epoch":1,"last":0,"streams":{"user":"4"}}"#,
        r#"{"version":1,"epoch":1,"last":0,"streams":{"user":4,"s1":-1}}"#,
    ] {
        let text = format!(r#"{{"type":"welcome","data":{data}}}"#);
        assert_eq!(kind(&text), FrameKind::Malformed, "{text}");
    }
}

#[test]
fn a_position_names_a_stream_and_an_offset() {
    let text = r#"{"type":"stream","data":{"stream":"s1","offset":0},"stream":"s2","offset":5}"#;
    let kind_of_position = FrameKind::Position { stream: "s1".to_owned(), offset: 0 };
    assert_eq!(decoded(text), Frame { kind: kind_of_position, place: None, is_own: false });
    for data in [r#"{"stream":"s1"}"#, r#"{"offset":1}"#, r#"{"stream":1,"offset":1}"#, "null", "{}"] {
        assert_eq!(kind(&format!(r#"{{"type":"stream","data":{data}}}"#)), FrameKind::Malformed, "{data}");
    }
    for number in NO_COUNTS {
        let text = format!(r#"{{"type":"stream","data":{{"stream":"s1","offset":{number}}}}}"#);
        assert_eq!(kind(&text), FrameKind::Malformed, "{text}");
    }
}

#[test]
fn a_stored_event_has_its_place_after_the_one_before_it() {
    for (rest, offset, prev) in
        [(r#""offset":1"#, 1, 0), (r#""offset":9,"prev":3"#, 9, 3), (r#""prev":0,"offset":7.0"#, 7, 0)]
    {
        let text = format!(r#"{{"type":"notification","stream":"user",{rest}}}"#);
        let place = Some(StreamOffset { stream: "user".to_owned(), offset, prev });
        assert_eq!(decoded(&text), Frame { kind: FrameKind::Event, place, is_own: false }, "{text}");
    }
}

#[test]
fn a_stored_frame_with_a_wrong_place_is_malformed_whatever_its_type() {
    for word in ["notification", "pong", "ack", "reply", "receipt", "error"] {
        let malformed = |place: &str| {
            let text = format!(r#"{{"type":"{word}","data":{{"seq":1,"status":"read"}},{place}}}"#);
            assert_eq!(decoded(&text), Frame { kind: FrameKind::Malformed, place: None, is_own: false }, "{text}");
        };
        for place in [
            r#""stream":"s1""#,
            r#""stream":1,"offset":1"#,
            r#""stream":null,"offset":1"#,
            r#""stream":"s1","offset":0"#,
            r#""stream":"s1","offset":0,"prev":0"#,
            r#""stream":"s1","offset":4,"prev":4"#,
            r#""stream":"s1","offset":4,"prev":5"#,
        ] {
            malformed(place);
        }
        for number in NO_COUNTS {
            malformed(&format!(r#""stream":"s1","offset":{number}"#));
            malformed(&format!(r#""stream":"s1","offset":4,"prev":{number}"#));
        }
    }
}

#[test]
fn an_event_is_this_clients_own_by_the_client_id_beside_its_stream() {
    for (client_id, is_own) in [("\"k3Zq8vXw2LmN4pRt\"", true), ("\"another\"", false), ("7", false), ("null", false)] {
        let text = format!(r#"{{"type":"x","stream":"user","offset":1,"client_id":{client_id},"seq":1}}"#);
        assert_eq!(decoded(&text).is_own, is_own, "{client_id}");
    }
}

#[test]
fn what_is_malformed_changes_nothing_but_the_count_of_violations() {
    for text in [
        r#"{"type":"welcome","data":{"version":1,"epoch":"9","last":0}}"#,
        r#"{"type":"ack","data":{"seq":"1"}}"#,
        r#"{"type":"reply","data":{"seq":1.5}}"#,
        r#"{"type":"receipt","data":{"seq":1,"status":"lost"}}"#,
        r#"{"type":"error","data":{"seq":null}}"#,
        r#"{"type":"stream","data":{"stream":"s1","offset":-1}}"#,
        r#"{"type":"notification","stream":"s1","offset":9007199254740992}"#,
    ] {
        let mut harness = TestHarness::withhold_acks();
        harness.say("a");
        let before = format!("{:?}", harness.client().snapshot());
        harness.push_text(text);
        assert_eq!(harness.violations(), [ProtocolViolation::Malformed], "{text}");
        assert_eq!(
            (harness.told().len(), harness.positions().len(), harness.client().in_flight()),
            (0, 0, 1),
            "{text}"
        );
        let after = format!("{:?}", harness.client().snapshot()).replace("protocol_errors: 1", "protocol_errors: 0");
        assert_eq!(after, before, "{text}");
    }
}

#[test]
fn text_that_is_no_envelope_does_not_reach_the_state_machine() {
    let mut harness = TestHarness::withhold_acks();
    for text in ["ack 1", "{\"type\":\"ack\"", "[\"ack\",{\"seq\":1}]", "{\"data\":{\"seq\":1}}"] {
        harness.push_text(text);
    }
    assert_eq!((harness.unreadable, harness.protocol_errors(), harness.phase()), (4, 0, Phase::Open));
}
