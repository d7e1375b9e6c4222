//! Requests and their replies.

use everwire::proto::{DropReason, Message, Overflow, ProtocolViolation, Refusal, RequestFailure, Sent, Timer};

use crate::memory::{ack, refusal, reply};
use crate::server::Handshake;
use crate::wire::note;
use crate::world::{Act, World, secs};

fn request(text: &str, within_ms: u64) -> Box<Message<String>> {
    let mut request = note(text);
    request.policy.reply_within_ms = Some(within_ms);
    request
}

fn asking() -> World {
    let mut world = World::reliable(|_| {});
    world.send(request("a", 30_000)).expect("the request is accepted");
    world.advance(0);
    world
}

#[test]
fn a_reply_comes_once() {
    let mut world = asking();
    world.push(reply(1));
    assert_eq!((world.told(), world.protocol_errors()), (vec!["reply".to_owned()], 0));
    world.push(reply(1));
    assert_eq!((world.told().len(), world.violations()), (1, vec![ProtocolViolation::UnexpectedReply]));
    world.advance(secs(60));
    assert!(world.failed_requests().is_empty());
}

#[test]
fn a_reply_may_come_before_the_acknowledgement() {
    let mut world = World::taciturn();
    world.send(request("a", 30_000)).unwrap();
    world.push(reply(1));
    assert_eq!((world.told().len(), world.client.in_flight()), (1, 1));
    world.push(ack(1));
    assert_eq!((world.client.in_flight(), world.protocol_errors()), (0, 0));
}

#[test]
fn a_request_without_a_reply_fails_in_its_time_and_a_late_reply_is_not_believed() {
    let mut world = asking();
    assert_eq!(world.due(), Some((30_000, Timer::PingDue)));
    world.advance(29_999);
    assert!(world.failed_requests().is_empty());
    world.advance(1);
    assert_eq!(world.failed_requests(), [(1, RequestFailure::TimedOut)]);
    world.push(reply(1));
    assert_eq!((world.told().len(), world.violations()), (0, vec![ProtocolViolation::UnexpectedReply]));
}

#[test]
fn each_request_has_a_time_of_its_own() {
    let mut world = World::reliable(|_| {});
    world.send(request("slow", 8_000)).unwrap();
    world.send(request("fast", 2_000)).unwrap();
    world.advance(0);
    assert_eq!(world.due(), Some((2_000, Timer::ReplyOverdue)));
    world.advance(2_000);
    assert_eq!(world.failed_requests(), [(2, RequestFailure::TimedOut)]);
    world.advance(6_000);
    assert_eq!(world.failed_requests()[1], (1, RequestFailure::TimedOut));
}

#[test]
fn an_error_about_a_request_is_its_answer() {
    let mut world = asking();
    world.push(refusal(1));
    assert_eq!((world.told(), world.protocol_errors()), (vec!["error".to_owned()], 0));
    world.advance(secs(60));
    assert!(world.failed_requests().is_empty());
    world.push(reply(1));
    assert_eq!(world.violations(), [ProtocolViolation::UnexpectedReply]);
}

#[test]
fn an_error_about_a_message_that_is_no_request_is_no_surprise() {
    let mut world = World::reliable(|_| {});
    world.say("a");
    world.advance(0);
    world.push(refusal(1));
    assert_eq!((world.told(), world.protocol_errors()), (vec!["error".to_owned()], 0));
}

#[test]
fn a_reply_to_a_message_that_is_no_request_is_not_believed() {
    let mut world = World::reliable(|_| {});
    world.say("a");
    world.push(reply(1));
    assert_eq!((world.told().len(), world.violations()), (0, vec![ProtocolViolation::UnexpectedReply]));
}

#[test]
fn a_reply_is_awaited_over_a_new_connection() {
    let mut world = asking();
    world.come_back();
    assert_eq!(world.numbered().len(), 0);
    world.push(reply(1));
    assert_eq!((world.told().len(), world.protocol_errors()), (1, 0));
}

#[test]
fn a_request_that_failed_after_it_was_sent_is_processed_all_the_same() {
    let mut world = World::taciturn();
    world.cut();
    world.send(request("a", 3_000)).unwrap();
    world.advance(3_000);
    assert_eq!(world.failed_requests().len(), 1);
    world.come_back();
    assert_eq!((world.numbered(), world.dropped().len()), (vec!["1: note a".to_owned()], 0));
}

#[test]
fn a_request_that_failed_while_it_waited_is_never_sent() {
    let mut world = World::asking(|_| {});
    world.send(request("a", 3_000)).unwrap();
    world.say("b");
    world.advance(3_000);
    assert_eq!((world.failed_requests(), world.queued()), (vec![(1, RequestFailure::TimedOut)], 1));
    world.memory = Some(crate::memory::Memory::default());
    world.connect();
    world.advance(0);
    assert_eq!(world.numbered(), ["2 after 0: note b"]);
}

#[test]
fn the_end_of_all_attempts_is_the_end_of_all_requests() {
    let ends: [(&str, Act); 4] = [
        ("given up", |world| {
            world.server.handshake = Handshake::Refuse;
            world.close(1006);
            world.advance(secs(20));
        }),
        ("fatal", |world| world.close(4400)),
        ("disconnected", |world| {
            world.disconnect();
            world.advance(0);
        }),
        ("disconnected while away", |world| {
            world.close(1006);
            world.disconnect();
        }),
    ];
    for (name, end) in ends {
        let mut world = asking();
        end(&mut world);
        assert_eq!(world.failed_requests(), [(1, RequestFailure::Abandoned)], "{name}");
    }
}

#[test]
fn a_request_made_before_connecting_waits_for_the_connection() {
    let mut world = World::asking(|_| {});
    assert_eq!(world.send(request("a", 30_000)).unwrap(), Sent::Queued);
    world.memory = Some(crate::memory::Memory::default());
    world.connect();
    world.advance(0);
    world.push(reply(1));
    assert_eq!((world.told().len(), world.failed_requests().len()), (1, 0));
}

#[test]
fn a_plain_server_refuses_requests_at_the_call_and_drops_those_that_waited_for_it() {
    let mut world = World::asking(|_| {});
    world.send(request("a", 30_000)).unwrap();
    world.say("b");
    world.connect();
    world.advance(0);
    assert_eq!(world.dropped(), [("note a".to_owned(), DropReason::Unsupported)]);
    assert_eq!((world.heard(), world.failed_requests().len()), (vec!["note b"], 0));
    assert_eq!(world.send(request("c", 30_000)).unwrap_err().refusal, Refusal::Unsupported);
    assert_eq!(World::open(|_| {}).send(request("d", 9)).unwrap_err().refusal, Refusal::Unsupported);
    world.advance(secs(60));
    assert!(world.failed_requests().is_empty());
}

#[test]
fn a_thousand_requests_may_wait_and_an_answer_makes_room_for_the_next() {
    let mut world = World::reliable(|_| {});
    for _ in 0..1_000 {
        world.send(request("a", 30_000)).unwrap();
        world.advance(0);
    }
    assert_eq!(world.send(request("b", 30_000)).unwrap_err().refusal, Refusal::QueueFull);
    assert_eq!(world.say("c"), Sent::Now);
    world.push(reply(500));
    assert_eq!(world.send(request("d", 30_000)).unwrap(), Sent::Now);
}

#[test]
fn a_request_that_had_to_leave_the_queue_is_reported_as_dropped_only() {
    let mut world = World::asking(|config| {
        config.queue.max_messages = 1;
        config.queue.overflow = Overflow::DropOldest;
    });
    world.send(request("a", 3_000)).unwrap();
    world.say("b");
    assert_eq!(world.dropped(), [("note a".to_owned(), DropReason::Overflow)]);
    world.advance(secs(9));
    assert!(world.failed_requests().is_empty());
}

#[test]
fn a_request_that_was_refused_at_the_call_is_not_waited_for() {
    let mut world = World::asking(|config| config.queue.max_messages = 0);
    assert_eq!(world.send(request("a", 3_000)).unwrap_err().refusal, Refusal::QueueFull);
    assert_eq!(world.due(), None);
}
