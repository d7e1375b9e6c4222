//! The chat, as its page uses it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::World;
use serde_json::json;

const TAB: &str = "k3Zq8vXw2LmN4pRt";

fn message(id: &str) -> serde_json::Value {
    json!({ "session_id": "lesson", "message": { "id": id, "content": "hello" } })
}

#[tokio::test]
async fn a_message_is_stored_and_told_once_however_often_it_comes() {
    let world = World::new(&[]).await;
    let mut ben = world.connect("ben").await;
    ben.hello("the-phone-of-the-user", json!({})).await;
    ben.say(1, "join_session", json!({ "session_id": "lesson" })).await;
    ben.acked(1).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "lesson" })).await;
    ada.say(2, "message_sent", message("m1")).await;
    ada.say(2, "message_sent", message("m1")).await;
    ada.acked(2).await;
    drop(ada);
    // Another connection of the same page, which does not know that the second message has arrived.
    let mut ada = world.connect("ada").await;
    assert_eq!(ada.hello(TAB, json!({})).await["last"], 2);
    ada.say(2, "message_sent", message("m1")).await;
    ada.say(3, "message_sent", message("m2")).await;
    ada.acked(3).await;
    for id in ["m1", "m2"] {
        assert_eq!(ben.next("message_received").await["data"]["message"]["id"], id);
    }
    ben.settle_without("message_received").await;
    let stored = world
        .server
        .wire
        .transact(|ctx| ctx.db().query("SELECT id FROM chat_messages ORDER BY id", &[], |row| row.get::<String>(0)));
    assert_eq!(stored.await.unwrap(), ["m1", "m2"]);
}

#[tokio::test]
async fn what_is_refused_has_no_effect_and_never_comes_again() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "message_sent", message("m1")).await;
    let refused = ada.event("error").await;
    assert_eq!((&refused["code"], &refused["seq"]), (&json!("not_joined"), &json!(1)));
    ada.acked(1).await;
    ada.ask(2, "message_sent", json!({ "session_id": 7 })).await;
    let refused = ada.next("error").await;
    assert_eq!((&refused["data"]["code"], &refused["stream"]), (&json!("malformed"), &json!(format!("client:{TAB}"))));
    ada.ask(3, "nothing", json!({})).await;
    assert_eq!(ada.next("error").await["data"]["code"], "unknown_type");
}

#[tokio::test]
async fn events_of_the_time_away_come_with_the_next_connection_also_after_a_restart() {
    let file = std::env::temp_dir().join(format!("everwire-axum-example-{}.sqlite3", std::process::id()));
    let flags = ["--database", file.to_str().unwrap()];
    let world = World::new(&flags).await;
    let mut ada = world.connect("ada").await;
    let welcome = ada.hello(TAB, json!({})).await;
    drop(ada);
    world.server.wire.publish("ada", "notification", json!({ "n": 1 })).await.unwrap();
    let positions = world.positions.clone();
    drop(world);

    let mut world = World::new(&flags).await;
    world.positions = positions;
    world.server.wire.publish("ada", "notification", json!({ "n": 2 })).await.unwrap();
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, welcome["streams"].clone()).await;
    for n in 1..=2 {
        assert_eq!(ada.next("notification").await["data"]["n"], n);
    }
    drop((ada, world));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}

#[tokio::test]
async fn what_a_transaction_of_the_applications_own_publishes_comes_once_if_it_commits() {
    let file = std::env::temp_dir().join(format!("everwire-axum-outbox-{}.sqlite3", std::process::id()));
    let world = World::new(&["--database", file.to_str().unwrap()]).await;
    let mut ada = world.connect("ada").await;
    let welcome = ada.hello(TAB, json!({})).await;

    let mut own = rusqlite::Connection::open(&file).unwrap();
    own.busy_timeout(common::PATIENCE).unwrap();
    let publish = |transaction: &rusqlite::Transaction<'_>, n: u64| {
        transaction.execute(everwire_axum::PUBLISH, ("ada", "ordered", json!({ "n": n }).to_string())).unwrap();
    };
    let undone = own.transaction().unwrap();
    publish(&undone, 0);
    undone.rollback().unwrap();
    let transaction = own.transaction().unwrap();
    transaction.execute_batch("CREATE TABLE orders (n INTEGER); INSERT INTO orders VALUES (1)").unwrap();
    for n in 1..=600 {
        publish(&transaction, n);
    }
    transaction.commit().unwrap();
    for n in 1..=600 {
        assert_eq!(ada.next("ordered").await["data"]["n"], n);
    }
    ada.settle_without("ordered").await;

    let refused = own.execute(everwire_axum::PUBLISH, ("ada", "ack", "{}")).unwrap_err().to_string();
    assert!(refused.contains("type_is_not_of_the_protocol"), "{refused}");
    for no_object in ["{", "7", "null"] {
        let refused = own.execute(everwire_axum::PUBLISH, ("ada", "ordered", no_object)).unwrap_err().to_string();
        assert!(refused.contains("data_is_a_json_object"), "{refused}");
    }

    // Also what was published while no server ran.
    let positions = world.positions.clone();
    drop((ada, world));
    let transaction = own.transaction().unwrap();
    publish(&transaction, 601);
    transaction.commit().unwrap();
    let mut world = World::new(&["--database", file.to_str().unwrap()]).await;
    world.positions = positions;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, welcome["streams"].clone()).await;
    for n in 1..=601 {
        assert_eq!(ada.next("ordered").await["data"]["n"], n);
    }
    drop((ada, world));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}
