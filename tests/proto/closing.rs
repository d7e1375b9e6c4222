//! `disconnect()`, `reconnect()`, and what close codes mean.

use everwire::proto::{Input, Phase, Timer};
use serde_json::json;

use crate::server::{Handshake, Stage};
use crate::world::{Act, World, secs};

#[test]
fn disconnect_completes_the_closing_handshake_and_stays_closed() {
    let mut world = World::open(|_| {});
    world.server.latency_ms = 40;
    world.disconnect();
    assert_eq!((world.phase(), world.last().stage), (Phase::Closing, Stage::Closing));
    world.advance(40);
    assert_eq!((world.phase(), world.last().stage, world.closes()), (Phase::Idle, Stage::Closed, vec![1000]));
    world.advance(secs(3_600));
    assert_eq!((world.sockets.len(), world.due()), (1, None));
}

#[test]
fn a_closing_handshake_that_the_server_does_not_complete_ends_after_three_seconds() {
    let mut world = World::open(|_| {});
    world.server.completes_closing = false;
    world.disconnect();
    assert_eq!(world.due(), Some((3_000, Timer::CloseOverdue)));
    world.advance(3_000);
    assert_eq!((world.phase(), world.last().stage), (Phase::Idle, Stage::Abandoned { at: world.now() }));
    assert_eq!((world.due(), world.closes().len()), (None, 1));
}

#[test]
fn a_close_code_that_asks_for_a_retry_does_not_undo_a_disconnect() {
    let mut world = World::open(|_| {});
    world.server.completes_closing = false;
    world.disconnect();
    world.close(1012);
    world.advance(secs(60));
    assert_eq!((world.phase(), world.sockets.len()), (Phase::Idle, 1));
}

#[test]
fn frames_that_arrive_during_the_closing_handshake_are_delivered() {
    let mut world = World::open(|_| {});
    world.server.latency_ms = 100;
    world.disconnect();
    world.push(json!({ "type": "notification", "data": { "text": "late" } }));
    assert_eq!(world.frames().len(), 1);
}

#[test]
fn disconnect_cancels_what_is_under_way_or_scheduled() {
    let situations: [(&str, Act); 5] = [
        ("connecting", |world| world.server.handshake = Handshake::Silent),
        ("waiting", |world| world.server.handshake = Handshake::Refuse),
        ("fatal", |world| world.server.handshake = Handshake::Close(1002)),
        ("offline", |world| {
            world.server.handshake = Handshake::Refuse;
            world.input(Input::NetworkOffline);
        }),
        ("idle", |_| {}),
    ];
    for (name, arrange) in situations {
        let mut world = World::new(|_| {});
        arrange(&mut world);
        if name != "idle" {
            world.connect();
        }
        world.advance(0);
        let sockets = world.sockets.len();
        world.disconnect();
        assert_eq!((world.phase(), world.due()), (Phase::Idle, None), "{name}");
        world.advance(secs(60));
        assert_eq!((world.phase(), world.sockets.len()), (Phase::Idle, sockets), "{name}");
        assert!(world.live().is_none(), "{name}");
    }
}

#[test]
fn connect_during_the_closing_handshake_wins_at_once() {
    let mut world = World::open(|_| {});
    world.server.completes_closing = false;
    world.disconnect();
    world.connect();
    assert_eq!(world.sockets[0].stage, Stage::Abandoned { at: world.now() });
    world.advance(secs(10));
    assert_eq!((world.phase(), world.sockets.len()), (Phase::Open, 2));
}

#[test]
fn reconnect_drops_what_is_there_and_connects_anew() {
    let mut world = World::open(|_| {});
    world.reconnect();
    assert_eq!(world.sockets[0].stage, Stage::Abandoned { at: world.now() });
    assert_eq!((world.phase(), world.closes()), (Phase::Connecting, vec![1000]));
    world.advance(0);
    assert_eq!((world.phase(), world.sockets.len()), (Phase::Open, 2));
}

#[test]
fn reconnect_works_from_every_state_with_a_fresh_budget() {
    let situations: [(&str, Act); 6] = [
        ("idle", |_| {}),
        ("connecting", |world| {
            world.server.handshake = Handshake::Silent;
            world.connect();
        }),
        ("waiting", |world| {
            world.server.handshake = Handshake::Refuse;
            world.connect();
            world.advance(secs(8));
        }),
        ("fatal", |world| {
            world.server.handshake = Handshake::Close(1002);
            world.connect();
        }),
        ("closing", |world| {
            world.server.completes_closing = false;
            world.connect();
            world.advance(0);
            world.disconnect();
        }),
        ("offline", |world| {
            world.input(Input::NetworkOffline);
            world.server.handshake = Handshake::Refuse;
            world.connect();
            world.advance(0);
            world.input(Input::NetworkOnline);
        }),
    ];
    for (name, arrange) in situations {
        let mut world = World::new(|_| {});
        arrange(&mut world);
        world.advance(0);
        world.server.handshake = Handshake::Refuse;
        world.reconnect();
        assert_eq!((world.phase(), world.last().asked_at), (Phase::Connecting, world.now()), "{name}");
        world.advance(0);
        assert_eq!(world.reconnecting().last(), Some(&(1, 1_000)), "{name}");
        world.server.handshake = Handshake::Accept;
        world.advance(1_000);
        assert_eq!(world.phase(), Phase::Open, "{name}");
    }
}

#[test]
fn codes_that_another_attempt_cannot_help_stop_the_client() {
    for code in [1002, 1003, 1007, 1010] {
        let mut world = World::open(|_| {});
        world.close(code);
        assert_eq!((world.phase(), world.due()), (Phase::Fatal, None), "{code}");
        assert_eq!(world.client.snapshot().close.map(|close| close.code), Some(code));
        for fact in [Input::PageVisible, Input::NetworkOnline, Input::PageRestored] {
            world.input(fact);
            world.advance(secs(60));
        }
        assert_eq!((world.phase(), world.sockets.len()), (Phase::Fatal, 1), "{code}");
        world.connect();
        world.advance(0);
        assert_eq!(world.phase(), Phase::Open, "{code}");
    }
}

#[test]
fn codes_that_say_nothing_about_another_attempt_are_retried() {
    for code in [1000, 1001, 1005, 1006, 1009, 1011, 3000, 4000] {
        let mut world = World::open(|_| {});
        world.close(code);
        assert_eq!((world.phase(), world.due()), (Phase::Waiting, Some((1_000, Timer::RetryDue))), "{code}");
        world.advance(1_000);
        assert_eq!((world.phase(), world.closes()), (Phase::Open, vec![code]), "{code}");
    }
}

#[test]
fn news_of_a_replaced_socket_changes_nothing() {
    let mut world = World::open(|_| {});
    world.server.latency_ms = 50;
    world.disconnect();
    world.connect();
    assert_eq!(world.sockets.len(), 2);
    world.advance(50);
    assert_eq!((world.phase(), world.closes()), (Phase::Open, vec![1000]));
}
