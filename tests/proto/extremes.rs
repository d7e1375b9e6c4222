//! Numbers at the end of their range.

use everwire::proto::{Input, Message, Phase, Purpose};
use everwire_kit::{ServerMemory, TestHarness, position};

/// The largest integer of the protocol, 2⁵³ − 1.
const LARGEST: u64 = (1 << 53) - 1;

#[test]
fn a_buffer_as_full_as_can_be_takes_one_more_message() {
    let mut harness = TestHarness::open(|_| {});
    let replaced = harness.last().id;
    harness.reconnect();
    harness.advance(0);
    let socket = harness.last().id;
    harness.buffered = u64::MAX;
    harness.input(Input::Buffered { socket, bytes: u64::MAX });
    // The browser reports it late, which no driver does.
    harness.breaks_contract = true;
    harness.unmodelled = 1;
    let messages = vec![Message::new(r#"{"type":"late"}"#.to_owned(), 15, Purpose::Ordinary)];
    harness.input(Input::Undelivered { socket: replaced, messages });
    harness.input(Input::Buffered { socket, bytes: u64::MAX });
    assert!(!harness.has_room());
}

#[test]
fn a_count_that_starts_anew_after_the_last_number_is_a_gap() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(position("user", LARGEST));
    harness.memory = Some(ServerMemory { epoch: 8, ..ServerMemory::of_streams([("user", 4)]) });
    harness.come_back();
    assert_eq!(harness.gaps(), [("user".to_owned(), LARGEST + 1, None)]);
}

#[test]
fn the_largest_numbers_of_the_protocol_are_numbers_and_one_more_is_not() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory { epoch: LARGEST, ..ServerMemory::of_streams([("user", LARGEST)]) });
    harness.connect();
    harness.advance(0);
    assert_eq!((harness.phase(), harness.positions()), (Phase::Open, vec![("user", LARGEST)]));
    harness.push(position("user", LARGEST + 1));
    assert_eq!((harness.protocol_errors(), harness.positions()), (1, vec![("user", LARGEST)]));
}
