//! Connecting, failing, giving up, starting afresh.

use everwire::proto::{Cause, Input, Phase, Reason, Timer};

use crate::server::{Handshake, Stage};
use crate::world::{Act, World, secs};

#[test]
fn nothing_happens_before_connect() {
    let mut world = World::new(|_| {});
    assert_eq!((world.phase(), world.due()), (Phase::Idle, None));
    for fact in [Input::Timeout, Input::NetworkOffline, Input::NetworkOnline, Input::PageVisible, Input::PageRestored] {
        world.input(fact);
        world.advance(secs(3_600));
    }
    assert_eq!(world.phase(), Phase::Idle);
    assert!(world.sockets.is_empty() && world.events.is_empty());
}

#[test]
fn connect_opens_one_socket_and_says_so() {
    let mut world = World::new(|_| {});
    world.connect();
    assert_eq!(world.phase(), Phase::Connecting);
    world.connect();
    world.advance(0);
    world.connect();
    assert_eq!(world.phase(), Phase::Open);
    assert_eq!((world.sockets.len(), world.opens()), (1, 1));
}

#[test]
fn connect_does_not_hurry_an_attempt_that_is_scheduled() {
    let mut world = World::open(|_| {});
    world.close(1006);
    world.connect();
    assert_eq!((world.phase(), world.due()), (Phase::Waiting, Some((1_000, Timer::RetryDue))));
}

#[test]
fn an_attempt_that_neither_opens_nor_fails_is_abandoned_after_ten_seconds() {
    let mut world = World::new(|_| {});
    world.server.handshake = Handshake::Silent;
    world.connect();
    assert_eq!(world.due(), Some((10_000, Timer::ConnectOverdue)));
    world.advance(9_999);
    assert_eq!(world.phase(), Phase::Connecting);
    world.advance(1);
    assert_eq!(world.phase(), Phase::Waiting);
    assert_eq!(world.last().stage, Stage::Abandoned { at: world.now() });
    assert_eq!(world.closes(), [1006]);
    assert_eq!(world.reconnecting(), [(1, 1_000)]);
}

#[test]
fn a_handshake_that_completes_after_the_connect_timeout_is_ignored() {
    let mut world = World::new(|_| {});
    world.server.latency_ms = 10_001;
    world.connect();
    world.advance(10_001);
    assert_eq!((world.phase(), world.opens()), (Phase::Waiting, 0));
}

#[test]
fn five_refused_attempts_exhaust_the_budget_and_the_client_says_so_once() {
    let mut world = World::new(|_| {});
    world.server.handshake = Handshake::Refuse;
    world.connect();
    world.advance(secs(3_600));
    assert_eq!(world.phase(), Phase::GivenUp);
    assert_eq!(world.gave_up(), [5]);
    assert_eq!(world.sockets.len(), 1 + 5);
    assert_eq!(world.due(), None);
}

#[test]
fn a_token_that_cannot_be_had_counts_as_a_failed_attempt() {
    let mut world = World::new(|_| {});
    world.server.handshake = Handshake::NoToken;
    world.connect();
    world.advance(secs(60));
    assert_eq!((world.phase(), world.sockets.len()), (Phase::GivenUp, 6));
    assert_eq!(world.client.snapshot().close.map(|close| &close.reason), Some(&Reason::Client(Cause::NoToken)));
}

#[test]
fn an_infinite_budget_never_ends() {
    let mut world = World::new(|config| config.reconnect.max_attempts = u32::MAX);
    world.server.handshake = Handshake::Refuse;
    world.connect();
    world.advance(secs(3_600));
    assert_eq!((world.phase(), world.gave_up().len()), (Phase::Waiting, 0));
    assert!(world.sockets.len() > 700, "{} attempts", world.sockets.len());
}

#[test]
fn without_a_budget_a_lost_connection_stays_lost_until_the_user_returns() {
    let mut world = World::open(|config| config.reconnect.max_attempts = 0);
    world.close(1006);
    assert_eq!((world.phase(), world.gave_up()), (Phase::GivenUp, vec![0]));
    world.input(Input::PageVisible);
    world.advance(0);
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn each_revival_opens_at_once_with_a_fresh_budget() {
    let revivals: [(&str, Act); 5] = [
        ("reconnect", World::reconnect),
        ("connect", World::connect),
        ("online", |world| world.input(Input::NetworkOnline)),
        ("visible", |world| world.input(Input::PageVisible)),
        ("restored", |world| world.input(Input::PageRestored)),
    ];
    for (name, revive) in revivals {
        let mut world = World::new(|_| {});
        world.server.handshake = Handshake::Refuse;
        world.connect();
        world.advance(secs(60));
        assert_eq!(world.phase(), Phase::GivenUp, "{name}");
        revive(&mut world);
        assert_eq!((world.phase(), world.last().asked_at), (Phase::Connecting, world.now()), "{name}");
        world.advance(secs(60));
        assert_eq!(world.gave_up(), [5, 5], "{name}");
        assert_eq!(world.sockets.len(), 12, "{name}");
    }
}

#[test]
fn the_user_who_returns_during_the_last_attempt_gets_a_fresh_budget() {
    for fact in [|| Input::PageVisible, || Input::NetworkOnline] {
        let mut world = World::new(|_| {});
        world.server.handshake = Handshake::Refuse;
        world.connect();
        world.advance(secs(16));
        world.server.handshake = Handshake::Silent;
        world.advance(secs(2));
        assert_eq!((world.phase(), world.client.snapshot().attempt), (Phase::Connecting, 5));
        world.input(fact());
        world.advance(secs(9));
        assert_eq!((world.phase(), world.gave_up()), (Phase::Waiting, vec![]));
    }
}

#[test]
fn the_snapshot_tells_which_attempt_runs_or_is_waited_for_and_when() {
    let mut world = World::open(|_| {});
    world.server.handshake = Handshake::Silent;
    world.close(1011);
    let snapshot = world.client.snapshot();
    assert_eq!(snapshot.attempt, 1);
    assert_eq!(snapshot.retry_at.map(|at| at.as_millis()), Some(world.now() + 1_000));
    assert_eq!(snapshot.close.map(|close| close.code), Some(1011));
    world.advance(1_000);
    let snapshot = world.client.snapshot();
    assert_eq!((snapshot.phase, snapshot.attempt, snapshot.retry_at), (Phase::Connecting, 1, None));
    world.advance(10_000);
    assert_eq!(world.client.snapshot().attempt, 2);
}

#[test]
fn the_page_that_was_suspended_past_a_retry_connects_as_soon_as_it_runs() {
    let mut world = World::open(|_| {});
    world.close(1006);
    world.suspend(secs(600));
    assert_eq!((world.phase(), world.last().asked_at), (Phase::Open, world.now()));
}

#[test]
fn an_early_alarm_changes_nothing() {
    let mut world = World::open(|_| {});
    world.close(1006);
    world.advance(999);
    let before = format!("{:?}", world.client);
    world.input(Input::Timeout);
    assert_eq!(before, format!("{:?}", world.client));
    world.advance(1);
    assert_eq!(world.phase(), Phase::Open);
}
