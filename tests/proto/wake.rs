//! The network goes and comes; the page sleeps, returns, and comes back from the back/forward cache.

use everwire::proto::{Config, Input, Phase, Timer};
use serde_json::json;

use crate::server::{Handshake, Stage};
use crate::wire::Envelope;
use crate::world::{World, secs};

type Wake = fn() -> Input<String, Envelope>;

fn wakes() -> [(&'static str, Wake); 2] {
    [("visible", || Input::PageVisible), ("online", || Input::NetworkOnline)]
}

#[test]
fn waking_up_probes_an_open_connection_with_a_short_deadline() {
    for (name, wake) in wakes() {
        let mut world = World::open(|_| {});
        world.advance(secs(5));
        world.server.answers_pings = false;
        world.input(wake());
        assert_eq!(world.last().pings, [world.now()], "{name}");
        assert_eq!(world.due(), Some((2_000, Timer::PongOverdue)), "{name}");
        world.advance(2_000);
        assert_eq!(world.sockets[0].stage, Stage::Abandoned { at: world.now() }, "{name}");
        assert_eq!(world.reconnecting(), [(1, 1_000)], "{name}");
    }
}

#[test]
fn a_probe_that_is_answered_goes_back_to_the_usual_interval() {
    let mut world = World::open(|_| {});
    world.advance(secs(5));
    world.input(Input::PageVisible);
    world.advance(0);
    assert_eq!(world.due(), Some((30_000, Timer::PingDue)));
    world.advance(secs(29));
    assert_eq!((world.phase(), world.last().pings.len()), (Phase::Open, 1));
}

#[test]
fn a_probe_is_never_more_patient_than_the_usual_deadline() {
    let mut world = World::open(|config| config.heartbeat.timeout_ms = 500);
    world.input(Input::PageVisible);
    assert_eq!(world.due(), Some((500, Timer::PongOverdue)));
}

#[test]
fn waking_up_shortens_the_wait_for_a_pong_that_is_under_way_and_never_extends_it() {
    let mut world = World::open(|_| {});
    world.server.answers_pings = false;
    world.advance(secs(30));
    world.input(Input::PageVisible);
    assert_eq!((world.last().pings.len(), world.due()), (1, Some((2_000, Timer::PongOverdue))));
    world.advance(1_500);
    world.input(Input::PageVisible);
    assert_eq!(world.due(), Some((500, Timer::PongOverdue)));
}

#[test]
fn waking_up_while_waiting_connects_at_once_and_starts_counting_afresh() {
    for (name, wake) in wakes() {
        let mut world = World::new(|_| {});
        world.server.handshake = Handshake::Refuse;
        world.connect();
        world.advance(secs(4));
        assert_eq!(world.reconnecting().last(), Some(&(3, 4_000)), "{name}");
        world.input(wake());
        assert_eq!(world.phase(), Phase::Connecting, "{name}");
        world.advance(0);
        assert_eq!(world.reconnecting().last(), Some(&(1, 1_000)), "{name}");
    }
}

#[test]
fn waking_up_does_not_replace_an_attempt_that_runs() {
    let mut world = World::new(|_| {});
    world.server.handshake = Handshake::Silent;
    world.connect();
    world.advance(secs(3));
    world.input(Input::PageVisible);
    world.input(Input::NetworkOnline);
    assert_eq!((world.sockets.len(), world.due()), (1, Some((7_000, Timer::ConnectOverdue))));
}

#[test]
fn waking_up_does_not_undo_a_disconnect() {
    let mut world = World::open(|_| {});
    world.disconnect();
    for (_, wake) in wakes() {
        world.input(wake());
        world.advance(secs(60));
    }
    world.input(Input::PageRestored);
    world.advance(secs(60));
    assert_eq!((world.phase(), world.sockets.len()), (Phase::Idle, 1));
}

#[test]
fn losing_the_network_probes_the_connection_instead_of_dropping_it() {
    let mut world = World::open(|_| {});
    world.input(Input::NetworkOffline);
    assert_eq!((world.phase(), world.due()), (Phase::Open, Some((2_000, Timer::PongOverdue))));
    world.advance(secs(20));
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn a_connection_lost_offline_waits_for_the_network_without_spending_attempts() {
    let mut world = World::open(|_| {});
    world.server.answers_pings = false;
    world.server.handshake = Handshake::Refuse;
    world.input(Input::NetworkOffline);
    world.advance(2_000);
    assert_eq!(world.phase(), Phase::Offline);
    world.advance(secs(3_600));
    assert_eq!(world.phase(), Phase::Offline);
    assert!(world.reconnecting().is_empty() && world.gave_up().is_empty());
}

#[test]
fn the_network_is_tried_all_the_same_every_fifteen_to_forty_five_seconds() {
    for seed in 0..50 {
        let mut world = World::seeded(Config::default(), seed);
        world.server.handshake = Handshake::Refuse;
        world.input(Input::NetworkOffline);
        world.connect();
        world.advance(0);
        assert_eq!(world.due().map(|(_, timer)| timer), Some(Timer::NetworkCheckDue));
        world.advance(secs(3_600));
        let starts: Vec<_> = world.sockets.iter().map(|socket| socket.asked_at).collect();
        for pair in starts.windows(2) {
            assert!((15_000..=45_000).contains(&(pair[1] - pair[0])), "{}", pair[1] - pair[0]);
        }
    }
}

#[test]
fn a_false_report_of_being_offline_does_not_keep_the_client_away() {
    let mut world = World::open(|_| {});
    world.input(Input::NetworkOffline);
    world.close(1006);
    assert_eq!(world.phase(), Phase::Offline);
    world.advance(secs(45));
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn going_offline_stops_a_scheduled_attempt_and_coming_online_connects_at_once() {
    let mut world = World::open(|_| {});
    world.close(1006);
    world.input(Input::NetworkOffline);
    assert_eq!(world.phase(), Phase::Offline);
    world.advance(1_500);
    assert_eq!(world.sockets.len(), 1);
    world.input(Input::NetworkOnline);
    assert_eq!(world.phase(), Phase::Connecting);
    world.advance(0);
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn after_the_network_is_back_attempts_are_counted_again() {
    let mut world = World::open(|_| {});
    world.server.handshake = Handshake::Refuse;
    world.input(Input::NetworkOffline);
    world.close(1006);
    world.input(Input::NetworkOnline);
    world.advance(secs(60));
    assert_eq!((world.phase(), world.gave_up()), (Phase::GivenUp, vec![5]));
}

#[test]
fn a_page_from_the_back_forward_cache_connects_anew_at_once() {
    let mut world = World::open(|_| {});
    world.say("before");
    world.input(Input::PageRestored);
    assert_eq!(world.sockets[0].stage, Stage::Abandoned { at: world.now() });
    assert_eq!(world.phase(), Phase::Connecting);
    world.advance(0);
    assert_eq!((world.phase(), world.sockets.len()), (Phase::Open, 2));
}

#[test]
fn a_page_from_the_back_forward_cache_replaces_an_attempt_and_a_wait() {
    for handshake in [Handshake::Silent, Handshake::Refuse] {
        let mut world = World::new(|_| {});
        world.server.handshake = handshake;
        world.connect();
        world.advance(0);
        world.server.handshake = Handshake::Accept;
        world.input(Input::PageRestored);
        world.advance(0);
        assert_eq!((world.phase(), world.sockets.len()), (Phase::Open, 2), "{handshake:?}");
    }
}

#[test]
fn a_return_to_a_page_that_slept_past_the_pong_deadline_asks_once_more() {
    let mut world = World::open(|_| {});
    world.server.answers_pings = false;
    world.advance(secs(30));
    world.sleep_without_alarm(secs(300));
    world.input(Input::PageVisible);
    assert_eq!((world.last().pings.len(), world.due()), (2, Some((2_000, Timer::PongOverdue))));
    world.advance(2_000);
    assert_eq!(world.phase(), Phase::Waiting);
}

#[test]
fn a_page_that_wakes_up_behind_its_own_upload_keeps_a_slow_connection() {
    let mut world = World::open(|_| {});
    world.server.answers_pings = false;
    world.buffered = 200_000;
    world.say("a");
    world.input(Input::PageVisible);
    for left in [150_000, 90_000, 20_000] {
        world.advance(9_999);
        world.buffered = left;
        world.advance(1);
        assert_eq!(world.phase(), Phase::Open, "{left}");
    }
    world.push(json!({ "type": "pong", "data": {} }));
    assert_eq!((world.phase(), world.client.snapshot().last_rtt_ms), (Phase::Open, Some(30_000)));
}

#[test]
fn an_upload_that_stands_still_does_not_keep_a_dead_connection() {
    let mut world = World::open(|_| {});
    world.server.answers_pings = false;
    world.buffered = 200_000;
    world.say("a");
    world.input(Input::PageVisible);
    world.advance(10_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1);
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "PongTimeout"));
}

#[test]
fn a_slow_link_gets_a_fifth_of_the_time_that_its_application_has_configured() {
    let mut world = World::open(|config| config.heartbeat.timeout_ms = 60_000);
    world.server.answers_pings = false;
    world.input(Input::PageVisible);
    world.advance(11_999);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1);
    assert_eq!(world.phase(), Phase::Waiting);
}
