//! What happens to messages that are sent without a connection.

use everwire::proto::{DropReason, Input, Phase, Purpose, Refusal, Sent, Timer};
use serde_json::json;

use crate::server::Handshake;
use crate::wire::{message, note, note_of};
use crate::world::{Act, World, secs};

#[test]
fn a_message_on_an_open_connection_goes_out_at_once() {
    let mut world = World::open(|_| {});
    assert_eq!(world.say("a"), Sent::Now);
    assert_eq!(world.heard(), ["note a"]);
}

#[test]
fn messages_sent_while_not_open_wait_in_order_and_are_flushed_on_open() {
    let mut world = World::new(|_| {});
    assert_eq!(world.say("idle"), Sent::Queued);
    world.server.handshake = Handshake::Refuse;
    world.connect();
    assert_eq!(world.say("connecting"), Sent::Queued);
    world.advance(0);
    assert_eq!(world.say("waiting"), Sent::Queued);
    world.input(Input::NetworkOffline);
    assert_eq!(world.say("offline"), Sent::Queued);
    assert_eq!(world.client.snapshot().queued, 4);
    world.server.handshake = Handshake::Accept;
    world.input(Input::NetworkOnline);
    world.advance(0);
    assert_eq!(world.heard(), ["note idle", "note connecting", "note waiting", "note offline"]);
    assert_eq!((world.client.snapshot().queued, world.client.snapshot().queued_bytes), (0, 0));
}

#[test]
fn messages_survive_giving_up_a_fatal_close_and_a_disconnect() {
    let ends: [Act; 3] = [
        |world| {
            world.server.handshake = Handshake::Refuse;
            world.close(1006);
            world.advance(secs(60));
            assert_eq!(world.phase(), Phase::GivenUp);
        },
        |world| {
            world.close(1002);
            assert_eq!(world.phase(), Phase::Fatal);
        },
        |world| {
            world.disconnect();
            assert_eq!(world.phase(), Phase::Closing);
        },
    ];
    for end in ends {
        let mut world = World::open(|_| {});
        end(&mut world);
        assert_eq!(world.say("a"), Sent::Queued);
        world.server.handshake = Handshake::Accept;
        world.connect();
        world.advance(0);
        assert_eq!(world.heard(), ["note a"]);
    }
}

#[test]
fn the_application_hears_of_the_open_connection_after_the_flush() {
    let mut world = World::new(|_| {});
    world.say("a");
    world.connect();
    world.advance(0);
    let position = |what: &str| world.trace.iter().position(|line| line.contains(what));
    assert!(position("Transmit") < position("Opened") && position("Transmit").is_some(), "{:?}", world.trace);
}

#[test]
fn pings_and_typing_are_never_queued() {
    for (event, data) in [
        ("ping", json!({})),
        ("user_typing", json!({ "session_id": "s", "isTyping": true })),
        ("typing", json!({ "match_id": "m", "is_typing": true })),
    ] {
        let mut world = World::new(|_| {});
        let refused = world.send(message(event, data.clone())).unwrap_err();
        assert_eq!((refused.refusal, refused.message.purpose), (Refusal::NotOpen, Purpose::Volatile), "{event}");
        assert_eq!(world.client.snapshot().queued, 0);
        world.connect();
        world.advance(0);
        assert_eq!(world.send(message(event, data)).unwrap(), Sent::Now, "{event}");
        assert_eq!(world.heard().len(), 1);
    }
}

#[test]
fn a_message_over_the_size_limit_is_refused_at_the_call_and_handed_back() {
    for connected in [false, true] {
        let mut world = if connected { World::open(|_| {}) } else { World::new(|_| {}) };
        let large = note_of(10_241);
        let frame = large.frame.clone();
        let refused = world.send(large).unwrap_err();
        assert_eq!(refused.refusal, Refusal::TooLarge { bytes: 10_241, max: 10_240 });
        assert_eq!(refused.message.frame, frame);
        assert_eq!(world.client.snapshot().queued, 0);
        assert!(world.sockets.iter().all(|socket| socket.heard.is_empty()));
        assert!(world.send(note_of(10_240)).is_ok());
    }
}

#[test]
fn the_size_limit_is_what_the_option_says() {
    let mut world = World::open(|config| config.max_message_bytes = 100);
    assert!(world.send(note_of(101)).is_err());
    assert!(world.send(note_of(100)).is_ok());
}

#[test]
fn messages_expire_when_their_time_is_over_and_are_reported() {
    let mut world = World::new(|config| config.queue.ttl_ms = 5_000);
    world.say("a");
    world.advance(2_000);
    world.say("b");
    assert_eq!(world.due(), Some((3_000, Timer::MessageExpired)));
    world.advance(2_999);
    assert!(world.dropped().is_empty());
    world.advance(1);
    assert_eq!(world.dropped(), [("note a".to_owned(), DropReason::Expired)]);
    assert_eq!(world.client.snapshot().queued, 1);
    world.advance(2_000);
    assert_eq!((world.dropped().len(), world.due()), (2, None));
    world.connect();
    world.advance(0);
    assert!(world.heard().is_empty());
}

#[test]
fn a_message_that_expired_while_the_page_slept_is_not_sent_on_open() {
    let wakes: [Act; 2] = [
        |world| world.suspend(500),
        |world| {
            world.sleep_without_alarm(500);
            world.advance(0);
        },
    ];
    for wake in wakes {
        let mut world = World::new(|config| config.queue.ttl_ms = 500);
        world.connect();
        world.say("a");
        wake(&mut world);
        assert_eq!((world.phase(), world.heard().len()), (Phase::Open, 0));
        assert_eq!(world.dropped(), [("note a".to_owned(), DropReason::Expired)]);
    }
}

#[test]
fn expired_messages_make_room_before_a_new_one_is_refused() {
    let mut world = World::new(|config| {
        config.queue.ttl_ms = 500;
        config.queue.max_messages = 1;
    });
    world.say("a");
    world.sleep_without_alarm(600);
    assert_eq!(world.say("b"), Sent::Queued);
    assert_eq!(world.dropped(), [("note a".to_owned(), DropReason::Expired)]);
}

#[test]
fn messages_wait_for_ever_by_default() {
    let mut world = World::new(|_| {});
    world.say("a");
    world.advance(secs(86_400 * 30));
    world.connect();
    world.advance(0);
    assert_eq!(world.heard(), ["note a"]);
}

#[test]
fn a_message_that_the_socket_did_not_take_goes_out_first_on_the_next_one() {
    let mut world = World::open(|_| {});
    world.go_deaf();
    assert_eq!(world.say("a"), Sent::Now);
    assert_eq!((world.phase(), world.client.snapshot().queued), (Phase::Closing, 1));
    assert_eq!(world.say("b"), Sent::Queued);
    world.close(1006);
    world.advance(1_000);
    assert_eq!(world.heard(), ["note a", "note b"]);
    assert_eq!(world.client.snapshot().queued, 0);
}

#[test]
fn a_flush_that_the_socket_did_not_take_is_repeated_in_order() {
    let mut world = World::new(|_| {});
    for text in ["a", "b", "c"] {
        world.say(text);
    }
    world.server.handshake = Handshake::AcceptDeaf;
    world.connect();
    world.advance(0);
    assert_eq!((world.phase(), world.client.snapshot().queued), (Phase::Closing, 3));
    world.server.handshake = Handshake::Accept;
    world.close(1001);
    world.advance(1_000);
    assert_eq!(world.heard(), ["note a", "note b", "note c"]);
}

#[test]
fn a_socket_that_takes_no_frames_and_never_closes_is_abandoned_after_three_seconds() {
    let mut world = World::open(|_| {});
    world.go_deaf();
    world.say("a");
    assert_eq!(world.due(), Some((3_000, Timer::CloseOverdue)));
    world.advance(4_000);
    assert_eq!((world.phase(), world.heard()), (Phase::Open, vec!["note a"]));
}

#[test]
fn the_close_code_of_a_socket_that_took_no_frames_still_counts() {
    let mut world = World::open(|_| {});
    world.go_deaf();
    world.say("a");
    world.close(1002);
    assert_eq!(world.phase(), Phase::Fatal);
}

#[test]
fn a_stable_connection_that_ends_deaf_resets_the_counter() {
    let mut world = World::open(|_| {});
    world.close(1006);
    world.advance(secs(10));
    world.go_deaf();
    world.say("a");
    world.close(1006);
    assert_eq!(world.reconnecting(), [(1, 1_000), (1, 1_000)]);
}

#[test]
fn typing_that_the_socket_did_not_take_is_reported_as_dropped() {
    let mut world = World::open(|_| {});
    world.go_deaf();
    world.send(message("typing", json!({ "match_id": "m", "is_typing": true }))).unwrap();
    assert_eq!(world.dropped(), [("typing m".to_owned(), DropReason::NotOpen)]);
    assert_eq!(world.client.snapshot().queued, 0);
}

#[test]
fn a_message_that_the_socket_did_not_take_expires_like_any_other() {
    let mut world = World::open(|config| {
        config.queue.ttl_ms = 2_000;
        config.reconnect.max_attempts = 0;
    });
    world.go_deaf();
    world.say("a");
    world.close(1006);
    world.advance(2_000);
    assert_eq!(world.dropped(), [("note a".to_owned(), DropReason::Expired)]);
}

#[test]
fn queued_bytes_are_the_frames_bytes() {
    let mut world = World::new(|_| {});
    world.send(note_of(100)).unwrap();
    world.send(note("b")).unwrap();
    assert_eq!(world.client.snapshot().queued_bytes, 100 + note("b").frame.len() as u64);
}
