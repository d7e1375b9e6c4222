//! Two nodes on one PostgreSQL and one Redis: `EVERWIRE_POSTGRES` and `EVERWIRE_REDIS` are their URLs.
//!
//! `cargo xtask test nodes` starts both and runs these.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, World};
use everwire_server::{Options, Server};
use serde_json::{Value, json};

const NEEDED: &str = "needs PostgreSQL and Redis";

/// Names that no other run has, for the database is the same for all.
fn fresh(name: &str) -> String {
    format!("{name}-{:016x}", fastrand::u64(..))
}

async fn node(name: &str) -> World {
    let [postgres, redis] = ["EVERWIRE_POSTGRES", "EVERWIRE_REDIS"].map(|name| std::env::var(name).expect(NEEDED));
    World::new(&["--database", &postgres, "--redis", &redis, "--node", name, "--secret", "the secret of all nodes"])
        .await
}

async fn nodes() -> (World, World) {
    tokio::join!(node("a"), node("b"))
}

async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !reached().await {
        assert!(started.elapsed() < Duration::from_secs(10), "never: {what}");
    }
}

/// Sends again and again until the other has it: Redis may not have been reached yet.
async fn typing_arrives(from: &mut Client, to: &mut Client, session: &str) {
    let typing = json!({ "session_id": session, "isTyping": true });
    until("typing arrives", async || {
        from.send("user_typing", typing.clone()).await;
        from.settle().await;
        to.send("ping", json!({})).await;
        loop {
            let event = to.any().await;
            match event["type"].as_str() {
                Some("typing_indicator") => return true,
                Some("pong") => return false,
                _ => {}
            }
        }
    })
    .await;
}

async fn partner_is(client: &mut Client, online: bool) {
    loop {
        let event = client.next("user_online_status").await;
        if event["data"]["online"] == online {
            return;
        }
    }
}

async fn match_of(world: &World, first: &str, second: &str) -> Value {
    let id = fresh("m");
    world.post("/dev/match", json!({ "match_id": id, "users": [first, second] })).await;
    json!(id)
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn typing_and_events_for_a_user_without_a_stream_reach_the_other_node() {
    let (a, b) = nodes().await;
    let [ada, ben, session] = ["ada", "ben", "s"].map(fresh);
    let mut ada = a.member(&ada, &session).await;
    let mut bens = b.member(&ben, &session).await;
    typing_arrives(&mut ada, &mut bens, &session).await;
    let data = json!({ "session_id": session, "message": { "id": "1", "content": "hi" } });
    ada.send("message_sent", data).await;
    assert_eq!(bens.next("message_received").await["data"]["message"]["id"], "1");
    a.post("/dev/push", json!({ "user_id": ben, "type": "notification", "data": { "n": 1 } })).await;
    assert_eq!(bens.next("notification").await["data"]["n"], 1);
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_stored_event_comes_once_whichever_node_stored_it() {
    let (a, b) = nodes().await;
    let ada = fresh("ada");
    let mut on_b = b.connect(&ada).await;
    on_b.hello(&fresh("tab"), json!({})).await;
    for n in 0..50 {
        let world = if n % 2 == 0 { &a } else { &b };
        world.post("/dev/push", json!({ "user_id": ada, "type": "notification", "data": { "n": n } })).await;
    }
    for n in 0..50 {
        assert_eq!(on_b.next("notification").await["data"]["n"], n);
    }
    on_b.settle_without("notification").await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_client_id_that_moves_to_another_node_is_fenced_and_goes_on_there() {
    let (a, b) = nodes().await;
    let (ada, tab) = (fresh("ada"), fresh("tab"));
    let mut first = a.connect(&ada).await;
    first.hello(&tab, json!({})).await;
    for seq in 1..=20 {
        first.say(seq, "echo", json!({ "n": seq })).await;
    }
    first.acked(20).await;
    let mut second = b.connect(&ada).await;
    assert_eq!(second.hello(&tab, json!({})).await["last"], 20);
    assert_eq!(first.closed().await.0, 4410);
    second.say(20, "echo", json!({})).await;
    second.say(21, "echo", json!({})).await;
    second.acked(21).await;
    let processed = b.get(&format!("/dev/processed?user_id={ada}")).await;
    let numbers: Vec<u64> = processed.as_array().unwrap().iter().map(|one| one["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=21).collect::<Vec<_>>());
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn presence_is_that_of_all_nodes_and_survives_the_death_of_one() {
    let (a, b) = nodes().await;
    let [ada, ben] = ["ada", "ben"].map(fresh);
    let id = match_of(&a, &ada, &ben).await;
    let mut adas = a.connect(&ada).await;
    let mut bens = b.connect(&ben).await;
    partner_is(&mut adas, true).await;
    until("the match is known there", async || {
        bens.send("join_match", json!({ "match_id": id })).await;
        matches!(bens.any().await["type"].as_str(), Some("user_online_status"))
    })
    .await;
    // Another device of the same user, at the other node: nobody is told that either has gone.
    let second = a.connect(&ben).await;
    drop(bens);
    b.until("gone", async || b.server.connections() == 0).await;
    adas.settle_without("user_online_status").await;
    drop(second);
    partner_is(&mut adas, false).await;

    let third = node("c").await;
    let on_third = third.connect(&ben).await;
    partner_is(&mut adas, true).await;
    let died = Instant::now();
    drop((on_third, third));
    partner_is(&mut adas, false).await;
    assert!(died.elapsed() < Duration::from_secs(9));
}

#[tokio::test]
async fn a_database_that_is_away_or_redis_without_one_is_a_clear_error_at_the_start() {
    let start = async |flags: &[&str]| {
        let flags = ["--dev", "--port", "0"].iter().chain(flags);
        let Err(error) = Server::start(Options::from_flags(flags).unwrap()).await else { panic!("it has started") };
        error.to_string()
    };
    let away = start(&["--database", "postgres://ada:hunter2@127.0.0.1:1/everwire"]).await;
    assert!(away.starts_with("--database: database: PostgreSQL: "), "{away}");
    assert!(!away.contains("hunter2"), "{away}");
    let alone = start(&["--redis", "redis://127.0.0.1:1"]).await;
    assert!(alone.starts_with("--redis is for nodes that share a PostgreSQL"), "{alone}");
}
