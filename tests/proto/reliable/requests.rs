//! Requests and their replies.

use everwire::proto::{DropReason, Overflow, ProtocolViolation, Refusal, RequestFailure, Sent, Timer};
use everwire_kit::{Act, ServerMemory, SocketOutcome, TestHarness, ack, refusal, reply, request, secs};

fn asking() -> TestHarness {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(request("a", 30_000)).expect("the request is accepted");
    harness.advance(0);
    harness
}

#[test]
fn a_reply_comes_once() {
    let mut harness = asking();
    harness.push(reply(1));
    assert_eq!((harness.replied(), harness.told().len(), harness.protocol_errors()), (vec![1], 0, 0));
    harness.push(reply(1));
    assert_eq!((harness.replied(), harness.violations()), (vec![1], vec![ProtocolViolation::UnexpectedReply]));
    harness.advance(secs(60));
    assert!(harness.failed_requests().is_empty());
}

#[test]
fn a_reply_may_come_before_the_acknowledgement() {
    let mut harness = TestHarness::withhold_acks();
    harness.send(request("a", 30_000)).unwrap();
    harness.push(reply(1));
    assert_eq!((harness.replied(), harness.client().in_flight()), (vec![1], 1));
    harness.push(ack(1));
    assert_eq!((harness.client().in_flight(), harness.protocol_errors()), (0, 0));
}

#[test]
fn a_request_without_a_reply_fails_in_its_time_and_a_late_reply_is_a_violation() {
    let mut harness = asking();
    assert_eq!(harness.due(), Some((30_000, Timer::PingDue)));
    harness.advance(29_999);
    assert!(harness.failed_requests().is_empty());
    harness.advance(1);
    assert_eq!(harness.failed_requests(), [(1, RequestFailure::TimedOut)]);
    harness.push(reply(1));
    assert_eq!((harness.replied().len(), harness.violations()), (0, vec![ProtocolViolation::UnexpectedReply]));
}

#[test]
fn each_request_has_a_time_of_its_own() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(request("slow", 8_000)).unwrap();
    harness.send(request("fast", 2_000)).unwrap();
    harness.advance(0);
    assert_eq!(harness.due(), Some((2_000, Timer::ReplyOverdue)));
    harness.advance(2_000);
    assert_eq!(harness.failed_requests(), [(2, RequestFailure::TimedOut)]);
    harness.advance(6_000);
    assert_eq!(harness.failed_requests()[1], (1, RequestFailure::TimedOut));
}

#[test]
fn an_error_about_a_request_is_its_answer() {
    let mut harness = asking();
    harness.push(refusal(1));
    assert_eq!((harness.told(), harness.refused()), (vec!["error".to_owned()], vec![1]));
    assert_eq!(harness.protocol_errors(), 0);
    harness.advance(secs(60));
    assert!(harness.failed_requests().is_empty());
    harness.push(reply(1));
    assert_eq!(harness.violations(), [ProtocolViolation::UnexpectedReply]);
}

#[test]
fn an_error_about_a_message_that_is_no_request_is_no_surprise() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.say("a");
    harness.advance(0);
    harness.push(refusal(1));
    assert_eq!((harness.told(), harness.refused()), (vec!["error".to_owned()], vec![1]));
    assert_eq!(harness.protocol_errors(), 0);
}

#[test]
fn a_reply_to_a_message_that_is_no_request_is_a_violation() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.say("a");
    harness.push(reply(1));
    assert_eq!((harness.replied().len(), harness.violations()), (0, vec![ProtocolViolation::UnexpectedReply]));
}

#[test]
fn a_reply_is_awaited_over_a_new_connection() {
    let mut harness = asking();
    harness.come_back();
    assert_eq!(harness.numbered().len(), 0);
    harness.push(reply(1));
    assert_eq!((harness.replied(), harness.protocol_errors()), (vec![1], 0));
}

#[test]
fn a_request_that_failed_after_it_was_sent_is_processed_all_the_same() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.send(request("a", 3_000)).unwrap();
    harness.advance(3_000);
    assert_eq!(harness.failed_requests().len(), 1);
    harness.come_back();
    assert_eq!((harness.numbered(), harness.dropped().len()), (vec!["1: note a".to_owned()], 0));
}

#[test]
fn a_request_that_failed_while_it_waited_is_never_sent() {
    let mut harness = TestHarness::asking(|_| {});
    harness.send(request("a", 3_000)).unwrap();
    harness.say("b");
    harness.advance(3_000);
    assert_eq!((harness.failed_requests(), harness.queued()), (vec![(1, RequestFailure::TimedOut)], 1));
    harness.memory = Some(ServerMemory::default());
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.numbered(), ["2 after 0: note b"]);
}

#[test]
fn the_end_of_all_attempts_is_the_end_of_all_requests() {
    let ends: [(&str, Act); 4] = [
        ("given up", |harness| {
            harness.server.outcome = SocketOutcome::Refuse;
            harness.close(1006);
            harness.advance(secs(20));
        }),
        ("fatal", |harness| harness.close(4400)),
        ("disconnected", |harness| {
            harness.disconnect();
            harness.advance(0);
        }),
        ("disconnected while away", |harness| {
            harness.close(1006);
            harness.disconnect();
        }),
    ];
    for (name, end) in ends {
        let mut harness = asking();
        end(&mut harness);
        assert_eq!(harness.failed_requests(), [(1, RequestFailure::Abandoned)], "{name}");
    }
}

#[test]
fn a_request_made_before_connecting_waits_for_the_connection() {
    let mut harness = TestHarness::asking(|_| {});
    assert_eq!(harness.send(request("a", 30_000)).unwrap(), Sent::Queued);
    harness.memory = Some(ServerMemory::default());
    harness.connect();
    harness.advance(0);
    harness.push(reply(1));
    assert_eq!((harness.replied(), harness.failed_requests().len()), (vec![1], 0));
}

#[test]
fn a_plain_server_refuses_requests_at_the_call_and_drops_those_that_waited_for_it() {
    let mut harness = TestHarness::asking(|_| {});
    harness.send(request("a", 30_000)).unwrap();
    harness.say("b");
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.dropped(), [("note a".to_owned(), DropReason::Unsupported)]);
    assert_eq!((harness.heard(), harness.failed_requests().len()), (vec!["note b".to_owned()], 0));
    assert_eq!(harness.send(request("c", 30_000)).unwrap_err().refusal, Refusal::Unsupported);
    assert_eq!(TestHarness::open(|_| {}).send(request("d", 9)).unwrap_err().refusal, Refusal::Unsupported);
    harness.advance(secs(60));
    assert!(harness.failed_requests().is_empty());
}

#[test]
fn a_thousand_requests_may_wait_and_an_answer_makes_room_for_the_next() {
    let mut harness = TestHarness::reliable(|_| {});
    for _ in 0..1_000 {
        harness.send(request("a", 30_000)).unwrap();
        harness.advance(0);
    }
    assert_eq!(harness.send(request("b", 30_000)).unwrap_err().refusal, Refusal::QueueFull);
    assert_eq!(harness.say("c"), Sent::Now);
    harness.push(reply(500));
    assert_eq!(harness.send(request("d", 30_000)).unwrap(), Sent::Now);
}

#[test]
fn a_request_that_had_to_leave_the_queue_is_reported_as_dropped_only() {
    let mut harness = TestHarness::asking(|config| {
        config.queue.max_messages = 1;
        config.queue.overflow = Overflow::DropOldest;
    });
    harness.send(request("a", 3_000)).unwrap();
    harness.say("b");
    assert_eq!(harness.dropped(), [("note a".to_owned(), DropReason::Overflow)]);
    harness.advance(secs(9));
    assert!(harness.failed_requests().is_empty());
}

#[test]
fn a_request_that_was_refused_at_the_call_is_not_waited_for() {
    let mut harness = TestHarness::asking(|config| config.queue.max_messages = 0);
    assert_eq!(harness.send(request("a", 3_000)).unwrap_err().refusal, Refusal::QueueFull);
    assert_eq!(harness.due(), None);
}
