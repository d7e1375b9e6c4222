//! What real servers have said, as it was recorded.

use std::fs;
use std::path::Path;

use everwire::proto::Timestamp;
use everwire::proto::socketio::{Continuity, LinkOutput, Recovery};
use everwire::proto::wire::socketio::{Namespace, connect};
use everwire_kit::{SoloLink, SoloOutput};
use serde_json::Value;

/// What a link makes of a recorded conversation. It has to say what the recorded client did of its own accord.
///
/// Every `open` is another connection of the same client.
fn replay(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proto/socketio/recordings").join(name);
    let recording = fs::read_to_string(path.with_extension("txt")).expect("the recording is there");
    let mut link = SoloLink::new(Namespace::MAIN);
    let mut recovery = Recovery::<Value>::default();
    let (mut outcome, mut said) = (vec![], vec![]);
    for line in recording.lines() {
        let now = Timestamp::from_millis(outcome.len() as u64);
        match line.split_at(2) {
            ("< ", frame) if frame.starts_with('b') => {
                let digits = frame.as_bytes()[1..].chunks(2).map(|byte| str::from_utf8(byte).expect("it is ASCII"));
                let bytes = digits.map(|byte| u8::from_str_radix(byte, 16).expect("it is a byte"));
                link.handle_binary(bytes.collect(), now);
            }
            ("< ", frame) => link.handle_text(frame, now),
            ("> ", "3") => assert_eq!(said.pop(), Some("3".to_owned()), "{line}"),
            ("> ", frame) if frame.starts_with("40") => {
                assert_eq!(said.pop(), Some("40".to_owned()), "{line}");
                let claim = recovery.claim().map(|(pid, offset)| format!(r#"40{{"pid":"{pid}","offset":"{offset}"}}"#));
                assert!(claim.is_none_or(|claim| claim == frame || frame.contains("unknown")), "{line}");
            }
            ("op", "en") => link = SoloLink::new(Namespace::MAIN),
            _ => {}
        }
        while let Some(output) = link.poll_output() {
            let output = match output {
                SoloOutput::Link(output) => output,
                SoloOutput::Send(frame) => {
                    said.push(frame);
                    continue;
                }
                SoloOutput::Report(report) => {
                    outcome.push(format!("{report:?}"));
                    continue;
                }
                SoloOutput::Ended(close) => LinkOutput::Ended { close, refusal: None },
            };
            match output {
                LinkOutput::Connect => said.push(connect(&Namespace::MAIN, None)),
                LinkOutput::Send(frame) => said.push(frame),
                LinkOutput::Joined { sid, pid, max_payload_bytes } => {
                    let continuity = recovery.handle_joined(pid.as_ref());
                    outcome.push(format!("joined as {sid}, up to {max_payload_bytes} bytes: {continuity:?}"));
                }
                LinkOutput::PutOut => outcome.push("put out".to_owned()),
                LinkOutput::Ended { close, refusal } => {
                    outcome.push(format!("ended with {}: {}", close.code, refusal.unwrap_or_default()));
                }
                LinkOutput::Event { id, arguments } => {
                    recovery.handle_event(id, &arguments);
                    outcome.push(format!("event {id:?} {} {:?}", arguments.array, arguments.attachments));
                }
                LinkOutput::Ack { id, arguments } => outcome.push(format!("ack {id} {}", arguments.array)),
            }
        }
    }
    outcome
}

const JOINED: &str = "joined as s, up to 1000000 bytes: First";

#[test]
fn what_npm_socket_io_has_said_is_understood() {
    let placeholder = |number| format!(r#"{{"_placeholder":true,"num":{number}}}"#);
    let binary = format!(r#"event None ["bin",{},{{"x":{}}}] [[1, 2], [9]]"#, placeholder(0), placeholder(1));
    let asked = r#"event Some(0) ["question",1] []"#;
    assert_eq!(replay("npm-events"), [JOINED, r#"ack 1 ["x",1]"#, asked, &binary]);
    let refusal = r#"ended with 4401: {"data":{"code":7},"message":"Not authorized"}"#;
    assert_eq!(replay("npm-refused"), [refusal]);
    assert_eq!(replay("npm-disconnect"), [JOINED, "put out"]);
    assert_eq!(replay("npm-disconnect-all"), [JOINED, "put out"]);
}

#[test]
fn what_python_socketio_has_said_is_understood() {
    let binary = r#"event None ["bin",{"x":{"_placeholder":true,"num":0}}] [[1, 2]]"#;
    let early = r#"event None ["early",1] []"#;
    let asked = r#"event Some(1) ["question",1,"b"] []"#;
    let expected = [JOINED, early, r#"ack 1 ["x",1]"#, "ack 2 []", asked, binary];
    assert_eq!(replay("python-events"), expected);
    let refusal = r#"ended with 4401: {"data":{"code":7},"message":"Not authorized"}"#;
    assert_eq!(replay("python-refused"), [refusal]);
    assert_eq!(replay("python-rejected"), [r#"ended with 4401: {"message":"Connection rejected by server"}"#]);
    assert_eq!(replay("python-disconnect"), [JOINED, early, "put out"]);
}

#[test]
fn a_session_of_npm_socket_io_is_recovered_with_what_was_missed_or_known_to_be_lost() {
    let outcome = replay("npm-recovery");
    let joined = |sid, continuity| format!("joined as {sid}, up to 1000000 bytes: {continuity:?}");
    let expected = [
        joined("s1", Continuity::First),
        r#"event None ["all",1,"o1"] []"#.to_owned(),
        r#"event None ["mine",2,"o2"] []"#.to_owned(),
        r#"event Some(0) ["asks","text"] []"#.to_owned(),
        r#"event None ["bin",{"_placeholder":true,"num":0},"text","o3"] [[1]]"#.to_owned(),
        joined("s1", Continuity::Recovered),
        r#"event None ["all",3,"o4"] []"#.to_owned(),
        joined("s2", Continuity::Lost),
    ];
    assert_eq!(outcome, expected);
}
