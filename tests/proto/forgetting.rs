//! What forgetting leaves of a connection of the reliable mode.

use everwire::proto::{Message, Phase, Timer};
use everwire_kit::{ServerMemory, TestHarness, note, welcome};
use serde_json::json;

fn left(text: &str) -> Box<Message<String>> {
    let mut message = note(text);
    (message.origin, message.seq) = (Some("earlier".to_owned()), 5);
    message
}

#[test]
fn what_was_under_way_is_not_waited_for() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.forget();
    assert_eq!((harness.phase(), harness.client().in_flight()), (Phase::Connecting, 0));
    harness.advance(0);
    assert_eq!(harness.due().map(|(_, timer)| timer), Some(Timer::PingDue));
}

#[test]
fn own_messages_do_not_go_out_under_the_client_id_of_a_forgotten_instance() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory { acknowledges: false, ..ServerMemory::default() });
    harness.connect();
    harness.restore([left("left")]);
    harness.advance(0);
    assert_eq!((harness.hellos(), harness.heard()), (vec!["hello as earlier"], vec!["note left".to_owned()]));
    harness.forget();
    harness.say("own");
    harness.advance(0);
    assert_eq!((harness.hellos(), harness.heard()), (vec!["hello"], vec!["note own".to_owned()]));
}

#[test]
fn the_answer_to_a_hello_for_a_forgotten_instance_is_not_taken_for_the_own() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.answers_pings = false;
    harness.connect();
    harness.restore([left("left")]);
    harness.advance(0);
    assert_eq!(harness.hellos(), ["hello as earlier"]);
    let replaced = harness.last().id;
    harness.forget();
    harness.assert_ignored(everwire::proto::Input::Frame { socket: replaced, frame: welcome(1, 4, 8, json!({})) });
    assert_eq!(harness.protocol_errors(), 0);
}
