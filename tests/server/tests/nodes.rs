//! Two nodes on one PostgreSQL and one Redis.
//!
//! `cargo xtask test nodes` starts both and runs these.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::services::{fresh, node, nodes, services, until};
use common::{Client, World};
use serde_json::{Value, json};

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
