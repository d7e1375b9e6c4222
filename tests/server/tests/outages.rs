//! A node whose PostgreSQL or Redis is away: at the start, later, or without a word.
//!
//! `cargo xtask test nodes` starts both and runs these.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::World;
use common::services::{fresh, node, services, until};
use everwire_faults::{Fault, FaultProxy, Rule};
use everwire_server::{Options, Server};
use serde_json::json;

/// A node whose way to PostgreSQL can be cut.
async fn behind(proxy: &FaultProxy) -> World {
    let [postgres, redis] = services();
    let there = postgres.rsplit_once('@').unwrap().0;
    let (_, database) = postgres.rsplit_once('/').unwrap();
    let through = format!("{there}@{}/{database}", proxy.addr());
    World::new(&["--database", &through, "--redis", &redis, "--node", "d", "--secret", "the secret of all nodes"]).await
}

async fn way_to_postgres() -> FaultProxy {
    let [postgres, _] = services();
    let address = postgres.rsplit_once('@').unwrap().1.split_once('/').unwrap().0;
    FaultProxy::start(([127, 0, 0, 1], 0).into(), address.parse().unwrap()).await.unwrap()
}

fn cut(proxy: &FaultProxy) {
    proxy.rules().add(Rule::new(Fault::Refuse));
    proxy.rules().add(Rule::new(Fault::Reset));
}

async fn push(world: &World, user: &str, n: u64) -> u16 {
    world.try_post("/dev/push", json!({ "user_id": user, "type": "notification", "data": { "n": n } })).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_database_that_is_away_at_the_start_is_waited_for() {
    let proxy = way_to_postgres().await;
    cut(&proxy);
    let world = behind(&proxy).await;
    let (ada, tab) = (fresh("ada"), fresh("tab"));
    assert_eq!(world.status("/healthz").await, 503);
    assert_eq!(push(&world, &ada, 0).await, 503);
    let mut early = world.connect(&ada).await;
    early.send("hello", json!({ "versions": [1], "client_id": tab, "streams": {} })).await;
    assert_eq!(early.closed().await.0, 1011);

    proxy.rules().clear();
    until("healthy", async || world.status("/healthz").await == 200).await;
    let mut adas = world.connect(&ada).await;
    adas.hello(&tab, json!({})).await;
    adas.say(1, "echo", json!({})).await;
    adas.acked(1).await;
    assert_eq!(push(&world, &ada, 1).await, 200);
    assert_eq!(adas.next("notification").await["data"]["n"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_database_that_takes_connections_and_says_nothing_is_given_up_and_tried_again() {
    let proxy = way_to_postgres().await;
    proxy.rules().add(Rule::new(Fault::Swallow));
    let world = behind(&proxy).await;
    assert_eq!(push(&world, &fresh("ada"), 0).await, 503);
    proxy.rules().clear();
    proxy.rules().add(Rule::new(Fault::Reset));
    until("healthy", async || world.status("/healthz").await == 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and Redis"]
async fn nobody_who_says_hello_to_a_database_that_is_silent_is_left_without_an_answer() {
    let proxy = way_to_postgres().await;
    let world = behind(&proxy).await;
    assert_eq!(push(&world, &fresh("ada"), 0).await, 200);
    proxy.rules().add(Rule::new(Fault::HalfOpen));
    let started = Instant::now();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let mut client = world.connect(&fresh("ada")).await;
        client.send("hello", json!({ "versions": [1], "client_id": fresh("tab"), "streams": {} })).await;
        waiting.push(client);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for mut client in waiting {
        let code = client.closed().await.0;
        assert!([1011, 1013].contains(&code), "{code}");
    }
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
    proxy.rules().clear();
    until("healthy", async || world.status("/healthz").await == 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and Redis"]
async fn nothing_is_acknowledged_while_the_database_is_away_and_nothing_is_lost_when_it_is_back() {
    let proxy = way_to_postgres().await;
    let world = behind(&proxy).await;
    let (ada, tab) = (fresh("ada"), fresh("tab"));
    let mut adas = world.connect(&ada).await;
    adas.hello(&tab, json!({})).await;
    adas.say(1, "echo", json!({ "n": 1 })).await;
    adas.acked(1).await;

    cut(&proxy);
    adas.say(2, "echo", json!({ "n": 2 })).await;
    assert_eq!(adas.closed().await.0, 1011);
    assert_eq!(push(&world, &ada, 0).await, 503);
    assert_eq!(world.status("/healthz").await, 503);

    proxy.rules().clear();
    until("healthy", async || world.status("/healthz").await == 200).await;
    let mut adas = world.connect(&ada).await;
    assert_eq!(adas.hello(&tab, json!({})).await["last"], 1);
    adas.say(2, "echo", json!({ "n": 2 })).await;
    adas.acked(2).await;
    let processed = world.get(&format!("/dev/processed?user_id={ada}")).await;
    let numbers: Vec<u64> = processed.as_array().unwrap().iter().map(|one| one["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(push(&world, &ada, 1).await, 200);
    assert_eq!(adas.next("notification").await["data"]["n"], 1);
}

/// With or without Redis: it decides nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and Redis"]
async fn redis_that_is_away_at_the_start_or_later_keeps_nothing_from_being_stored() {
    let [postgres, redis] = services();
    let address = redis.trim_start_matches("redis://").split('/').next().unwrap().parse().unwrap();
    let proxy = FaultProxy::start(([127, 0, 0, 1], 0).into(), address).await.unwrap();
    cut(&proxy);
    let through = format!("redis://{}", proxy.addr());
    let flags = ["--database", &postgres, "--redis", &through, "--node", "e", "--secret", "the secret of all nodes"];
    let (world, other) = tokio::join!(World::new(&flags), node("a"));
    let (ada, tab) = (fresh("ada"), fresh("tab"));
    let mut adas = world.connect(&ada).await;
    adas.hello(&tab, json!({})).await;
    for n in 1..=2 {
        adas.say(n, "echo", json!({})).await;
        adas.acked(n).await;
        assert_eq!(push(&other, &ada, n).await, 200);
        assert_eq!(adas.next("notification").await["data"]["n"], n);
        // It comes and goes.
        proxy.rules().clear();
        until("the way is used", async || proxy.traffic().open > 0).await;
        cut(&proxy);
    }
}

#[tokio::test]
async fn a_node_starts_without_its_database_and_redis_without_one_is_a_clear_error() {
    let start = async |flags: &[&str]| {
        let flags = ["--dev", "--port", "0"].iter().chain(flags);
        Server::start(Options::from_flags(flags).unwrap()).await
    };
    let waits = start(&["--database", "postgres://ada:hunter2@127.0.0.1:1/everwire"]).await;
    assert!(waits.is_ok());
    let alone = start(&["--redis", "redis://127.0.0.1:1"]).await.err().unwrap().to_string();
    assert!(alone.starts_with("--redis is for nodes that share a PostgreSQL"), "{alone}");
    let misspelt = start(&["--database", "postgres://ada:hunter2@127.0.0.1:port/everwire"]).await;
    let misspelt = misspelt.err().unwrap().to_string();
    assert!(misspelt.starts_with("--database: database: PostgreSQL: "), "{misspelt}");
    assert!(!misspelt.contains("hunter2"), "{misspelt}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_database_that_does_not_exist_is_an_error_at_the_start_and_not_waited_for() {
    let [postgres, _] = services();
    let nowhere = format!("{}/there_is_no_such_database", postgres.rsplit_once('/').unwrap().0);
    let flags = ["--dev", "--port", "0", "--database", &nowhere];
    let error = Server::start(Options::from_flags(flags).unwrap()).await.err().unwrap().to_string();
    assert!(error.contains("there_is_no_such_database"), "{error}");
}
