//! Which session a client can ask for, and whether it got that.

use everwire::proto::socketio::{Continuity, Recovery};
use everwire::proto::wire::socketio::Arguments;
use serde_json::{Value, json};

#[test]
fn a_session_can_be_asked_for_once_an_event_has_said_where_it_stands() {
    let event = |array: Value| Arguments { array, attachments: vec![] };
    let [pid, other] = ["p", "q"].map(str::to_owned);
    let mut recovery = Recovery::<Value>::default();
    assert_eq!(recovery.handle_joined(Some(&pid)), Continuity::First);
    assert_eq!(recovery.claim(), None);
    recovery.handle_event(Some(1), &event(json!(["asks", "text"])));
    recovery.handle_event(None, &event(json!(["plain", 1])));
    assert_eq!(recovery.claim(), None);
    recovery.handle_event(None, &event(json!(["stored", 1, "o"])));
    assert_eq!(recovery.claim(), Some((&pid, &"o".to_owned())));
    assert_eq!(recovery.handle_joined(Some(&pid)), Continuity::Recovered);
    assert!(recovery.claim().is_some());
    assert_eq!(recovery.handle_joined(Some(&other)), Continuity::Lost);
    assert_eq!(recovery.claim(), None);
    assert!(!format!("{recovery:?}").contains('q'), "who knows the pid can take the session over");
}

#[test]
fn a_server_that_cannot_recover_loses_what_is_missed() {
    let mut recovery = Recovery::<Value>::default();
    assert_eq!(recovery.handle_joined(None), Continuity::First);
    recovery.handle_event(None, &Arguments { array: json!(["text", "no offset"]), attachments: vec![] });
    assert_eq!(recovery.claim(), None);
    assert_eq!(recovery.handle_joined(None), Continuity::Lost);
}
