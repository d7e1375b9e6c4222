//! A server that has lost its memory, or found an older one.

use everwire::proto::{Phase, ProtocolViolation};
use everwire_kit::{ServerMemory, TestHarness, ack, event, position};
use serde_json::json;

fn lose_memory(harness: &mut TestHarness, epoch: u64) {
    harness.memory = Some(ServerMemory { epoch, ..ServerMemory::default() });
}

#[test]
fn a_new_epoch_is_sent_what_is_unacknowledged_after_nothing() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.say("a");
    harness.advance(0);
    harness.cut();
    harness.say("b");
    harness.say("c");
    lose_memory(&mut harness, 8);
    harness.come_back();
    assert_eq!(harness.numbered(), ["2 after 0: note b", "3: note c"]);
    assert_eq!((harness.protocol_errors(), harness.phase()), (0, Phase::Open));
}

#[test]
fn a_new_epoch_is_a_gap_without_an_end_in_every_stream_that_has_a_position() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 4));
    harness.push(event("s2", 9));
    lose_memory(&mut harness, 8);
    harness.memory().set_streams([("user", 2), ("s1", 5), ("s2", 20)]);
    harness.come_back();
    assert_eq!(harness.hellos(), ["hello s2=9 user=4"]);
    assert_eq!(harness.gaps(), [("s2".to_owned(), 10, None), ("user".to_owned(), 5, None)]);
    harness.push(event("user", 3));
    harness.push(event("s2", 21));
    assert_eq!(harness.told(), ["user 4", "s2 9", "user 3", "s2 21"]);
    assert_eq!(harness.protocol_errors(), 0);
}

#[test]
fn the_gap_is_told_once_of_a_stream_that_the_new_epoch_does_not_name_at_once() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 4));
    lose_memory(&mut harness, 8);
    harness.memory().uncarried = vec!["user".to_owned()];
    harness.come_back();
    assert_eq!(harness.gaps(), [("user".to_owned(), 5, None)]);
    harness.push(position("user", 1));
    harness.push(event("user", 2));
    assert_eq!((harness.gaps().len(), harness.told()), (1, vec!["user 4".to_owned(), "user 2".to_owned()]));
}

#[test]
fn acknowledgements_start_over_with_the_epoch() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.say("a");
    harness.say("b");
    harness.advance(0);
    lose_memory(&mut harness, 8);
    harness.memory().acknowledges = false;
    harness.come_back();
    harness.say("c");
    assert_eq!(harness.numbered(), ["3 after 0: note c"]);
    harness.push(ack(3));
    harness.come_back();
    assert_eq!(
        (harness.protocol_errors(), harness.acknowledged()),
        (0, ["1", "2", "3", "3"].map(String::from).to_vec())
    );
}

#[test]
fn an_older_epoch_is_a_violation_and_the_client_tries_again_later() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.push(event("user", 1));
    lose_memory(&mut harness, 6);
    harness.memory().set_last(1);
    harness.memory().set_streams([("user", 9)]);
    harness.come_back();
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "ProtocolViolation"));
    assert_eq!(harness.violations(), [ProtocolViolation::OldEpoch]);
    assert_eq!((harness.gaps().len(), harness.acknowledged().len(), harness.client().in_flight()), (0, 0, 1));
    lose_memory(&mut harness, 7);
    harness.try_again();
    assert_eq!((harness.hellos(), harness.numbered()), (vec!["hello user=1"], vec!["1: note a".to_owned()]));
}

#[test]
fn servers_that_always_violate_the_protocol_use_up_the_attempts() {
    let mut harness = TestHarness::reliable(|_| {});
    lose_memory(&mut harness, 6);
    harness.close(1006);
    harness.advance(60_000);
    assert_eq!((harness.phase(), harness.gave_up()), (Phase::GivenUp, vec![5]));
    assert_eq!(harness.protocol_errors(), 5);
}

#[test]
fn the_first_epoch_is_taken_whatever_it_is() {
    for epoch in [1, 1 << 52] {
        let mut harness = TestHarness::asking(|_| {});
        lose_memory(&mut harness, epoch);
        harness.memory().set_streams([("user", 3)]);
        harness.connect();
        harness.advance(0);
        assert_eq!((harness.phase(), harness.gaps().len(), harness.protocol_errors()), (Phase::Open, 0, 0));
        harness.push(json!({ "type": "stream", "data": { "stream": "user", "offset": 5 } }));
        assert_eq!(harness.gaps(), [("user".to_owned(), 4, Some(5))]);
    }
}
