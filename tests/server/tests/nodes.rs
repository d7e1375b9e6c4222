//! Two nodes on one PostgreSQL and one Redis: `EVERWIRE_POSTGRES` and `EVERWIRE_REDIS` are their URLs.
//!
//! `cargo xtask test nodes` starts both and runs these.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, World};
use everwire_axum::{Context, Everwire, PostgresStore, StoreError, Tokens};
use everwire_faults::{Fault, FaultProxy, Rule};
use everwire_server::{Options, Server};
use serde_json::{Value, json};

const NEEDED: &str = "needs PostgreSQL and Redis";

/// Names that no other run has, for the database is the same for all.
fn fresh(name: &str) -> String {
    format!("{name}-{:016x}", fastrand::u64(..))
}

fn services() -> [String; 2] {
    ["EVERWIRE_POSTGRES", "EVERWIRE_REDIS"].map(|name| std::env::var(name).expect(NEEDED))
}

async fn node(name: &str) -> World {
    let [postgres, redis] = services();
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

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn what_a_transaction_of_the_applications_own_publishes_comes_once_whichever_node_moves_it() {
    let (a, b) = nodes().await;
    let (ada, first, second) = (fresh("ada"), fresh("tab"), fresh("tab"));
    let mut on_a = a.connect(&ada).await;
    on_a.hello(&first, json!({})).await;
    let mut on_b = b.connect(&ada).await;
    on_b.hello(&second, json!({})).await;

    let [postgres, _] = services();
    let (mut own, connection) = tokio_postgres::connect(&postgres, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let undone = own.transaction().await.unwrap();
    undone.execute(everwire_axum::PUBLISH, &[&ada, &"ordered", &json!({ "n": 0 }).to_string()]).await.unwrap();
    undone.rollback().await.unwrap();
    for batch in 0..10 {
        let transaction = own.transaction().await.unwrap();
        for n in batch * 60..batch * 60 + 60 {
            let data = json!({ "n": n }).to_string();
            transaction.execute(everwire_axum::PUBLISH, &[&ada, &"ordered", &data]).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    for device in [&mut on_a, &mut on_b] {
        for n in 0..600 {
            assert_eq!(device.next("ordered").await["data"]["n"], n);
        }
        device.settle_without("ordered").await;
    }
    let refused = own.execute(everwire_axum::PUBLISH, &[&ada, &"ordered", &"7"]).await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("data_is_a_json_object"), "{refused}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_failed_statement_that_nobody_heeds_undoes_what_the_application_did_and_nothing_else() {
    let [postgres, _] = services();
    let ada = fresh("ada");
    let store = PostgresStore::new(postgres).setup("CREATE TABLE IF NOT EXISTS heedless (text TEXT NOT NULL UNIQUE)");
    let wire = Everwire::new(store).tokens(Tokens::new("a secret that only this test knows")).start().await.unwrap();
    let insert = |text: String| {
        move |ctx: &mut Context<'_>| {
            let sql = "INSERT INTO heedless (text) VALUES (?1)";
            ctx.db().execute(sql, &[&text])?;
            let _ = ctx.db().execute(sql, &[&text]);
            ctx.publish("ada", "notification", &json!({}))
        }
    };
    let alone = wire.transact(insert(ada.clone())).await.unwrap_err();
    assert!(alone.to_string().contains("a statement of the application's has failed"), "{alone}");
    let texts = ["a", "b", "c"].map(|suffix| format!("{ada}-{suffix}"));
    let write =
        |text: String| wire.transact(move |ctx| ctx.db().execute("INSERT INTO heedless (text) VALUES (?1)", &[&text]));
    let (first, heedless, last) =
        tokio::join!(write(texts[0].clone()), wire.transact(insert(texts[1].clone())), write(texts[2].clone()));
    assert!(heedless.is_err());
    assert_eq!((first.unwrap(), last.unwrap()), (1, 1));
    for (text, expected) in texts.iter().zip([0, 1, 0]) {
        assert_eq!(write(text.clone()).await.is_ok(), expected == 1, "{text}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn what_postgresql_refuses_fails_alone_whatever_its_error_code_is() {
    let [postgres, _] = services();
    let store = PostgresStore::new(postgres).setup(
        "CREATE TABLE IF NOT EXISTS refusing (text TEXT NOT NULL UNIQUE,
         parent TEXT REFERENCES refusing (text) DEFERRABLE INITIALLY DEFERRED)",
    );
    let wire = Everwire::new(store).tokens(Tokens::new("a secret that only this test knows")).start().await.unwrap();
    let write =
        |text: String| wire.transact(move |ctx| ctx.db().execute("INSERT INTO refusing (text) VALUES (?1)", &[&text]));
    let beyond_the_index: String = std::iter::repeat_with(fastrand::alphanumeric).take(9_000).collect();
    let statements = [
        "DO $$ BEGIN RAISE EXCEPTION 'not this'; END $$".to_owned(),
        "DO $$ BEGIN RAISE EXCEPTION 'a bug' USING ERRCODE = 'XX000'; END $$".to_owned(),
        "SELECT ?1".to_owned(),
        format!("INSERT INTO refusing (text) VALUES ('{beyond_the_index}')"),
        "INSERT INTO refusing (text, parent) VALUES ('orphan', 'nobody')".to_owned(),
    ];
    for statement in statements {
        let about: String = statement.chars().take(60).collect();
        let refused = wire.transact(move |ctx| ctx.db().execute(&statement, &[]));
        let (before, refused, after) = tokio::join!(write(fresh("before")), refused, write(fresh("after")));
        assert!(matches!(refused, Err(StoreError::Database(_))), "{about}: {refused:?}");
        assert_eq!((before.unwrap(), after.unwrap()), (1, 1), "{about}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_session_that_a_statement_has_spoiled_is_left() {
    let [postgres, _] = services();
    let store = PostgresStore::new(postgres).setup("CREATE TABLE IF NOT EXISTS spoiling (text TEXT NOT NULL)");
    let wire = Everwire::new(store).tokens(Tokens::new("a secret that only this test knows")).start().await.unwrap();
    for spoiling in ["DEALLOCATE ALL", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"] {
        let write = || wire.transact(|ctx| ctx.db().execute("INSERT INTO spoiling (text) VALUES (?1)", &[&"later"]));
        write().await.unwrap();
        let _ = wire.transact(move |ctx| ctx.db().execute(spoiling, &[])).await;
        assert!(!spoiling.ends_with("READ ONLY") || !wire.is_healthy().await);
        until("what comes later is stored", async || write().await.is_ok()).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL and Redis"]
async fn who_leaves_at_one_node_stays_where_a_device_at_the_other_has_joined_until_it_leaves_or_goes() {
    for it_leaves in [true, false] {
        let (a, b) = nodes().await;
        let [ada, ben, session, laptop_id, phone_id, bens_id] =
            ["ada", "ben", "s", "laptop", "phone", "tab"].map(fresh);
        let join = json!({ "session_id": session });
        let message = |id: &str| json!({ "session_id": session, "message": { "id": id, "content": "hi" } });
        let mut laptop = a.connect(&ada).await;
        let mut phone = b.connect(&ada).await;
        let mut bens = a.connect(&ben).await;
        for (client, id) in [(&mut laptop, &laptop_id), (&mut phone, &phone_id), (&mut bens, &bens_id)] {
            client.hello(id, json!({})).await;
            client.say(1, "join_session", join.clone()).await;
            client.acked(1).await;
        }
        laptop.say(2, "leave_session", join.clone()).await;
        laptop.acked(2).await;
        bens.say(2, "message_sent", message("m1")).await;
        assert_eq!(phone.next("message_received").await["data"]["message"]["id"], "m1");
        phone.say(2, "message_sent", message("m2")).await;
        assert_eq!(bens.next("message_received").await["data"]["message"]["id"], "m2");
        if it_leaves {
            phone.say(3, "leave_session", join.clone()).await;
            phone.acked(3).await;
        } else {
            drop(phone);
        }
        // The other node notes a little later that the phone is gone.
        let mut seq = 2;
        until("ada is out", async || {
            for (kind, data) in
                [("join_session", join.clone()), ("leave_session", join.clone()), ("message_sent", message("m3"))]
            {
                seq += 1;
                laptop.say(seq, kind, data).await;
            }
            laptop.acked(seq).await.iter().any(|event| event["data"]["code"] == "not_joined")
        })
        .await;
    }
}
