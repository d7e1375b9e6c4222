//! What each fault does to the bytes between a client and a server.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use common::{World, until};
use everwire_faults::{Direction, Fault, Rule};
use tokio::net::TcpListener;

async fn took(action: impl Future) -> u128 {
    let start = Instant::now();
    action.await;
    start.elapsed().as_millis()
}

#[tokio::test]
async fn without_rules_it_only_passes_on_and_counts() {
    let world = World::new().await;
    let mut client = world.connect().await;
    for n in 0..100 {
        client.echo(&format!("{n:050}")).await;
    }
    let traffic = world.proxy.traffic();
    assert_eq!((traffic.open, traffic.accepted, traffic.refused), (1, 1, 0));
    assert_eq!((traffic.bytes_up, traffic.bytes_down), (5_106, 5_106));
    drop(client);
    until("closed", || world.proxy.traffic().open == 0).await;
}

#[tokio::test]
async fn latency_delays_and_keeps_the_order() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let rule = Rule::new(Fault::Latency { ms: 80, jitter_ms: 40 }).direction(Direction::Down);
    let id = world.proxy.rules().add(rule);
    let took = took(async {
        for n in 0..20 {
            client.send(&n.to_string()).await.unwrap();
        }
        for n in 0..20 {
            client.expect(&n.to_string()).await;
        }
    });
    let took = took.await;
    assert!((80..1500).contains(&took), "{took} ms: delays must overlap");
    assert!(world.hits(id) > 0);
}

#[tokio::test]
async fn a_slow_line_takes_its_time() {
    let world = World::new().await;
    let mut client = world.connect().await;
    world.proxy.rules().add(Rule::new(Fault::Bandwidth { bytes_per_s: 20_000 }).direction(Direction::Up));
    let took = took(client.echo(&"x".repeat(6000))).await;
    assert!((250..8000).contains(&took), "{took} ms");
}

#[tokio::test]
async fn a_black_hole_takes_bytes_in_one_direction_and_the_news_of_the_end() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let id = world.proxy.rules().add(Rule::new(Fault::Swallow).direction(Direction::Up));
    client.send("lost").await.unwrap();
    world.push("pushed");
    client.expect("pushed").await;
    client.hears_nothing().await;
    assert_eq!((world.lines_received(), world.hits(id)), (1, 1));
    drop(client);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.connections(), 1);
    world.proxy.rules().remove(id);
    until("the end arrives", || world.connections() == 0).await;
}

#[tokio::test]
async fn a_half_open_line_loses_nothing_and_goes_on_afterwards() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let rule = Rule::new(Fault::HalfOpen).direction(Direction::Up).lasting(Duration::from_millis(300));
    world.proxy.rules().add(rule);
    let took = took(client.echo("late")).await;
    assert!((200..8000).contains(&took), "{took} ms");
}

#[tokio::test]
async fn a_stall_cuts_a_line_in_its_middle() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let id = world.add(Fault::Stall { after_bytes: 3 });
    client.send("stalled").await.unwrap();
    until("stalled", || world.hits(id) > 0).await;
    client.hears_nothing().await;
    // Three of eight bytes have passed.
    assert_eq!((world.lines_received(), world.proxy.rules().status()[0].bytes), (1, 5));
    world.proxy.rules().remove(id);
    client.expect("stalled").await;
    client.echo("again").await;
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_close_is_not_and_each_happens_once() {
    let world = World::new().await;
    for (fault, expected) in [(Fault::Reset, Err(ErrorKind::ConnectionReset)), (Fault::Close, Ok(None))] {
        let mut client = world.connect().await;
        let id = world.add(fault);
        assert_eq!(client.line().await.map_err(|error| error.kind()), expected);
        assert_eq!(world.hits(id), 1, "{fault:?}");
        world.connect().await.echo("another").await;
        until("gone", || world.proxy.traffic().open == 0).await;
    }
}

#[tokio::test]
async fn refusing_and_slow_handshakes_strike_new_connections_only() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let id = world.add(Fault::Refuse);
    assert!(world.try_connect().await.is_err());
    assert_eq!((world.hits(id), world.proxy.traffic().refused), (1, 1));
    client.echo("unharmed").await;
    world.proxy.rules().clear();
    let id = world.add(Fault::SlowHandshake { ms: 200 });
    let took = took(world.connect()).await;
    assert!((200..8000).contains(&took), "{took} ms");
    assert_eq!(world.hits(id), 1);
}

#[tokio::test]
async fn a_rule_starts_and_ends_by_itself() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let rule = Rule::new(Fault::HalfOpen).starting_in(Duration::from_millis(100)).lasting(Duration::from_millis(200));
    let start = Instant::now();
    let id = world.proxy.rules().add(rule);
    assert!(!world.proxy.rules().status()[0].active);
    client.echo("before").await;
    until("struck", || world.hits(id) > 0).await;
    client.echo("after").await;
    let took = start.elapsed().as_millis();
    assert!((300..8000).contains(&took), "{took} ms");
    assert!(!world.proxy.rules().status()[0].active);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_reset_and_another_can_take_its_place() {
    let (world, other) = (World::new().await, World::new().await);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    world.proxy.set_target(closed);
    assert!(world.try_connect().await.is_err());
    world.proxy.set_target(other.proxy.addr());
    world.connect().await.echo("through both").await;
    assert_eq!((world.connections(), other.connections()), (0, 1));
}
