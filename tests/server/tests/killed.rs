//! The process dies without warning: nothing acknowledged is lost, nothing is processed twice.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{collections::HashMap, time::Duration};

use common::mortal::{Mortal, next};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_processed_once_and_in_order_however_often_the_server_is_killed() {
    const MESSAGES: u64 = 4000;
    let mut server = Mortal::new("burst");
    let mut acked = 0;
    let mut kills = 0;
    let mut resent_below_last = 0;
    let mut epoch = Value::Null;
    while acked < MESSAGES {
        server.start();
        let (socket, welcome) = server.hello("ada", json!({})).await;
        let last = welcome["last"].as_u64().unwrap();
        assert!(last >= acked, "acknowledged up to {acked}, and processed up to {last}");
        assert!(epoch.is_null() || epoch == welcome["epoch"]);
        epoch = welcome["epoch"].clone();
        acked = last;
        let (mut up, mut down) = socket.split();
        let sending = async {
            let message = |seq| json!({ "type": "echo", "data": { "n": seq }, "seq": seq }).to_string();
            let mut seq = last + 1;
            while seq <= MESSAGES {
                // Now and then some that have been sent already, as if it were not known that they arrived.
                if fastrand::u8(..) < 8 {
                    let back = fastrand::u64(1..40).min(seq - 1);
                    resent_below_last += back;
                    seq -= back;
                    if seq == last {
                        seq += 1;
                    }
                }
                if up.send(Message::text(message(seq))).await.is_err() {
                    return;
                }
                seq += 1;
            }
        };
        let reading = async {
            while let Some(Ok(frame)) = down.next().await {
                let Ok(event) = serde_json::from_str::<Value>(frame.to_text().unwrap_or_default()) else { return };
                if event["type"] == "ack" {
                    let seq = event["data"]["seq"].as_u64().unwrap();
                    assert!(seq >= acked, "{seq} after {acked}");
                    acked = seq;
                    if acked == MESSAGES {
                        return;
                    }
                }
            }
        };
        let life = Duration::from_millis(fastrand::u64(5..60));
        let _ = timeout(life, async { tokio::join!(sending, reading) }).await;
        server.kill();
        kills += 1;
    }
    server.start();
    let processed = server.get("dev/processed?user_id=ada").await;
    let seqs = processed.as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap());
    assert!(seqs.eq(1..=MESSAGES), "{kills} kills");
    assert!(processed.as_array().unwrap().iter().all(|message| message["data"]["n"] == message["seq"]));
    assert!(kills > 2, "{kills}");
    assert!(resent_below_last > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_events_outlive_the_server_with_their_places() {
    let mut server = Mortal::new("events");
    server.start();
    let (socket, welcome) = server.hello("ada", json!({})).await;
    let beginning = welcome["streams"]["user"].as_u64().unwrap();
    drop(socket);
    let mut pushed: HashMap<u64, u64> = HashMap::new();
    let mut n = 0;
    for _ in 0..5 {
        let life = Duration::from_millis(fastrand::u64(30..120));
        let _ = timeout(life, async {
            while server.push("ada", n + 1).await {
                n += 1;
            }
        })
        .await;
        server.kill();
        server.start();
        let (mut socket, welcome) = server.hello("ada", json!({ "user": beginning })).await;
        assert_eq!(welcome["streams"]["user"], beginning);
        let ping = json!({ "type": "ping", "data": {} });
        socket.send(Message::text(ping.to_string())).await.unwrap();
        let mut offset = beginning;
        let mut last_n = 0;
        // Each that was answered is there. One that was not may be.
        while last_n < n {
            let event = next(&mut socket).await.unwrap();
            if event["type"] == "pong" {
                continue;
            }
            offset += 1;
            assert_eq!(event["offset"], offset);
            last_n = event["data"]["n"].as_u64().unwrap();
            assert_eq!(*pushed.entry(offset).or_insert(last_n), last_n, "another event at {offset}");
        }
        n = n.max(last_n);
    }
    assert!(n > 20, "{n}");
}

#[tokio::test]
async fn events_of_a_session_are_stored_for_a_member_who_has_not_come_back_since_the_server_was_killed() {
    let mut server = Mortal::new("members");
    server.start();
    let (mut ada, welcome) = server.hello("ada", json!({})).await;
    let adas_position = welcome["streams"]["user"].as_u64().unwrap();
    let join = json!({ "type": "join_session", "data": { "session_id": "s1" }, "seq": 1 });
    ada.send(Message::text(join.to_string())).await.unwrap();
    while next(&mut ada).await.unwrap()["type"] != "ack" {}
    server.kill();
    server.start();
    let (mut ben, welcome) = server.hello("ben", json!({})).await;
    let bens_positions = welcome["streams"].clone();
    let message = json!({ "session_id": "s1", "message": { "id": "m1", "content": "hi" } });
    for frame in [join, json!({ "type": "message_sent", "data": message, "seq": 2 })] {
        ben.send(Message::text(frame.to_string())).await.unwrap();
    }
    loop {
        let event = next(&mut ben).await.unwrap();
        if event["type"] == "ack" && event["data"]["seq"] == 2 {
            break;
        }
    }
    server.kill();
    server.start();
    let (mut ada, welcome) = server.hello("ada", json!({ "user": adas_position })).await;
    assert_eq!((&welcome["last"], &welcome["streams"]["user"]), (&json!(1), &json!(adas_position)));
    let event = next(&mut ada).await.unwrap();
    assert_eq!((&event["data"]["message"]["id"], &event["offset"]), (&json!("m1"), &json!(adas_position + 1)));
    // Its sender learns of it on whatever connection comes next.
    let (mut ben, _) = server.hello("ben", bens_positions).await;
    assert_eq!(next(&mut ben).await.unwrap()["data"], json!({ "seq": 2, "status": "delivered" }));
}
