//! Asking for the reliable mode.

use everwire::proto::{Delivery, DropReason, Input, Phase, Sent, Timer};
use serde_json::json;

use crate::memory::{Memory, event, welcome};
use crate::server::{Handshake, Stage};
use crate::wire::{message, note};
use crate::world::{World, secs};

#[test]
fn hello_is_the_first_frame_a_ping_follows_and_nothing_else_is_sent_before_the_welcome() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory::default());
    world.server.latency_ms = 40;
    world.connect();
    world.say("early");
    world.advance(40);
    assert_eq!((world.phase(), world.hellos()), (Phase::Connecting, vec!["hello"]));
    assert_eq!(world.last().pings, [world.now()]);
    assert_eq!((world.say("later"), world.heard().len(), world.opens()), (Sent::Queued, 0, 0));
    world.advance(40);
    assert_eq!(world.numbered(), ["1: note early", "2: note later"]);
    assert_eq!((world.phase(), world.opens(), world.transmitted()), (Phase::Open, 1, vec![1, 2]));
}

#[test]
fn the_mode_is_unknown_until_the_first_welcome_and_then_stands_in_the_snapshot() {
    let mut world = World::asking(|_| {});
    assert_eq!(world.delivery(), Delivery::Unknown);
    world.memory = Some(Memory::default());
    world.connect();
    world.advance(0);
    assert_eq!(world.delivery(), Delivery::Reliable);
    world.close(1006);
    assert_eq!(world.delivery(), Delivery::Reliable);
    assert_eq!(World::open(|_| {}).delivery(), Delivery::AtMostOnce);
}

#[test]
fn the_ping_behind_the_hello_measures_the_round_trip_and_starts_the_heartbeat() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory::default());
    world.server.latency_ms = 40;
    world.connect();
    world.advance(80);
    assert_eq!(world.client.snapshot().last_rtt_ms, Some(40));
    assert_eq!(world.due(), Some((29_960, Timer::PingDue)));
}

#[test]
fn a_pong_before_a_welcome_is_a_plain_server_that_is_spoken_to_at_most_once() {
    let mut world = World::asking(|_| {});
    world.say("early");
    world.connect();
    world.advance(0);
    assert_eq!((world.phase(), world.delivery(), world.opens()), (Phase::Open, Delivery::AtMostOnce, 1));
    world.say("later");
    assert_eq!(world.numbered(), ["note early", "note later"]);
    assert_eq!(world.due().map(|(_, timer)| timer), Some(Timer::PingDue));
}

#[test]
fn an_error_about_the_hello_is_a_plain_server_too_and_no_news_for_the_application() {
    let mut world = World::asking(|_| {});
    world.server.answers_pings = false;
    world.connect();
    world.advance(0);
    let error = json!({ "type": "error", "data": { "message": "?", "code": "unknown_type", "about": "hello" } });
    world.push(error.clone());
    assert_eq!((world.phase(), world.delivery(), world.frames().len()), (Phase::Open, Delivery::AtMostOnce, 0));
    world.push(error);
    assert_eq!(world.frames().len(), 1);
}

#[test]
fn a_server_that_learns_or_forgets_the_mode_is_noticed_on_the_next_connection() {
    let mut world = World::asking(|_| {});
    world.connect();
    world.advance(0);
    world.memory = Some(Memory::default());
    world.come_back();
    assert_eq!((world.delivery(), world.say("a")), (Delivery::Reliable, Sent::Now));
    world.memory = None;
    world.come_back();
    assert_eq!(world.delivery(), Delivery::AtMostOnce);
}

#[test]
fn a_plain_server_cannot_be_asked_what_had_arrived_so_it_is_reported_and_not_sent_twice() {
    let mut world = World::taciturn();
    world.say("unconfirmed");
    world.memory = None;
    world.close(1006);
    world.say("new");
    world.advance(1_000);
    assert_eq!(world.dropped(), [("note unconfirmed".to_owned(), DropReason::Unconfirmed)]);
    assert_eq!(world.numbered(), ["note new"]);
}

#[test]
fn a_hello_without_an_answer_ends_with_the_attempt() {
    let mut world = World::asking(|_| {});
    world.server.answers_pings = false;
    world.connect();
    world.advance(0);
    assert_eq!(world.due(), Some((10_000, Timer::ConnectOverdue)));
    world.advance(10_000);
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "ConnectTimeout"));
    assert_eq!(world.last().stage, Stage::Abandoned { at: world.now() });
    assert_eq!(world.reconnecting(), [(1, 1_000)]);
}

#[test]
fn time_spent_on_the_handshake_is_not_given_again_to_the_hello() {
    let mut world = World::asking(|_| {});
    world.server.latency_ms = 6_000;
    world.server.answers_pings = false;
    world.connect();
    world.advance(6_000);
    assert_eq!(world.due(), Some((4_000, Timer::ConnectOverdue)));
}

#[test]
fn a_close_while_greeting_counts_as_a_failed_attempt() {
    let mut world = World::asking(|_| {});
    world.server.handshake = Handshake::Close(1013);
    world.server.answers_pings = false;
    world.connect();
    world.advance(secs(3_600));
    assert_eq!((world.phase(), world.sockets.len()), (Phase::GivenUp, 6));
}

#[test]
fn disconnecting_while_greeting_closes_properly() {
    let mut world = World::asking(|_| {});
    world.server.answers_pings = false;
    world.connect();
    world.advance(0);
    world.disconnect();
    assert_eq!(world.phase(), Phase::Closing);
    world.advance(0);
    assert_eq!((world.phase(), world.closes()), (Phase::Idle, vec![1000]));
}

#[test]
fn a_page_that_comes_back_while_greeting_keeps_its_attempt_unless_the_cache_has_closed_it() {
    let mut world = World::asking(|_| {});
    world.server.answers_pings = false;
    world.connect();
    world.advance(0);
    for fact in [Input::PageVisible, Input::NetworkOffline, Input::NetworkOnline] {
        world.input(fact);
        assert_eq!((world.phase(), world.sockets.len()), (Phase::Connecting, 1));
    }
    world.input(Input::PageRestored);
    assert_eq!((world.phase(), world.sockets.len()), (Phase::Connecting, 2));
}

#[test]
fn typing_is_refused_while_greeting_and_goes_out_without_a_number_after_it() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory::default());
    world.server.latency_ms = 40;
    let typing = || message("typing", json!({ "match_id": "m", "is_typing": true }));
    world.connect();
    world.advance(40);
    assert!(world.send(typing()).is_err());
    world.advance(40);
    assert_eq!(world.send(typing()).unwrap(), Sent::Now);
    world.send(note("a")).unwrap();
    world.send(typing()).unwrap();
    world.say("b");
    assert_eq!(world.numbered(), ["typing m", "2 after 0: note a", "typing m", "4 after 2: note b"]);
}

#[test]
fn what_comes_before_the_welcome_is_delivered_unless_it_is_stored_and_so_comes_again() {
    let mut world = World::asking(|_| {});
    world.server.answers_pings = false;
    world.connect();
    world.advance(0);
    world.push(json!({ "type": "connected", "data": { "user_id": "ada" } }));
    world.push(event("user", 4));
    assert_eq!((world.told(), world.phase()), (vec!["connected".to_owned()], Phase::Connecting));
    world.push(welcome(7, 0, 128, json!({ "user": 3 })));
    world.push(event("user", 4));
    assert_eq!(world.told(), ["connected", "user 4"]);
    assert_eq!((world.protocol_errors(), world.gaps().len()), (0, 0));
}

#[test]
fn nothing_is_believed_before_the_socket_has_opened() {
    let mut world = World::asking(|_| {});
    world.server.handshake = Handshake::Silent;
    world.connect();
    for frame in [welcome(7, 0, 128, json!({})), event("user", 4), json!({ "type": "connected", "data": {} })] {
        world.push(frame);
    }
    assert_eq!((world.phase(), world.told().len(), world.protocol_errors()), (Phase::Connecting, 0, 0));
}

#[test]
fn without_the_option_a_client_says_no_hello_and_takes_everything_as_an_event() {
    let mut world = World::open(|_| {});
    assert!(world.hellos().is_empty());
    for frame in [welcome(7, 9, 1, json!({})), event("user", 9), event("user", 9), crate::memory::ack(5)] {
        world.push(frame);
    }
    assert_eq!(world.told(), ["welcome", "user 9", "user 9", "ack"]);
    assert_eq!(world.protocol_errors(), 0);
}
