//! The reliable mode from client to server: hello, numbers, acknowledgements, requests.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::World;
use futures_util::{SinkExt as _, StreamExt as _, future::join_all};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

const TAB: &str = "k3Zq8vXw2LmN4pRt";
const OTHER_TAB: &str = "another-tab-of-the-same";

async fn processed(world: &World, user: &str) -> Vec<(u64, Value)> {
    let processed = world.get(&format!("/dev/processed?user_id={user}")).await;
    let processed = processed.as_array().unwrap();
    processed.iter().map(|message| (message["seq"].as_u64().unwrap(), message["data"].clone())).collect()
}

#[tokio::test]
async fn a_second_connection_with_the_same_client_id_takes_over() {
    let world = World::new(&[]).await;
    let mut first = world.connect("ada").await;
    first.hello(TAB, json!({})).await;
    first.say(1, "echo", json!({ "n": 1 })).await;
    first.acked(1).await;
    let mut second = world.connect("ada").await;
    assert_eq!(second.hello(TAB, json!({})).await["last"], 1);
    assert_eq!(first.closed().await.0, 4410);
    second.say(2, "echo", json!({ "n": 2 })).await;
    second.acked(2).await;
    assert_eq!(processed(&world, "ada").await, [(1, json!({ "n": 1 })), (2, json!({ "n": 2 }))]);
}

#[tokio::test]
async fn two_users_with_the_same_client_id_have_nothing_to_do_with_each_other() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    let mut ben = world.connect("ben").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "echo", json!({ "from": "ada" })).await;
    ada.acked(1).await;
    assert_eq!(ben.hello(TAB, json!({})).await["last"], 0);
    ben.ask(1, "echo", json!({ "from": "ben" })).await;
    ben.acked(1).await;
    ada.settle().await;
    assert_eq!(processed(&world, "ada").await, [(1, json!({ "from": "ada" }))]);
    assert_eq!(processed(&world, "ben").await, [(1, json!({ "from": "ben" }))]);
}

#[tokio::test]
async fn a_hello_that_makes_no_sense_is_answered_and_another_one_is_welcome() {
    let world = World::new(&["--rate-limit-per-minute", "0"]).await;
    let mut ada = world.connect("ada").await;
    let many: serde_json::Map<_, _> = (0..300).map(|n| (format!("s{n}"), json!(1))).collect();
    let hello =
        |client_id: Value, streams: Value| json!({ "versions": [1], "client_id": client_id, "streams": streams });
    for data in [
        json!({}),
        json!({ "versions": 1, "client_id": TAB }),
        json!({ "versions": [1.5], "client_id": TAB }),
        json!({ "versions": ["1"], "client_id": TAB }),
        json!({ "versions": [1] }),
        hello(json!(7), json!({})),
        hello(json!("too short"), json!({})),
        hello(json!("x".repeat(65)), json!({})),
        hello(json!("k3Zq8vXw2LmN4pR é"), json!({})),
        hello(json!(TAB), json!([])),
        hello(json!(TAB), json!(null)),
        hello(json!(TAB), json!({ "user": -1 })),
        hello(json!(TAB), json!({ "user": 1.5 })),
        hello(json!(TAB), json!({ "user": "1" })),
        hello(json!(TAB), json!({ "user": 1_u64 << 60 })),
        hello(json!(TAB), json!({ "": 1 })),
        hello(json!(TAB), json!({ "n".repeat(129): 1 })),
        hello(json!(TAB), Value::Object(many)),
    ] {
        ada.send("hello", data.clone()).await;
        let error = ada.event("error").await;
        assert_eq!((&error["code"], &error["about"]), (&json!("malformed"), &json!("hello")), "{data}");
    }
    ada.send("hello", json!({ "versions": [2, 3], "client_id": TAB })).await;
    assert_eq!(ada.event("error").await["code"], "unsupported_version");
    ada.send("hello", json!({ "versions": [3, 1], "client_id": TAB, "streams": { "unknown": 4 } })).await;
    let welcome = ada.event("welcome").await;
    assert_eq!((&welcome["version"], &welcome["last"], &welcome["window"]), (&json!(1), &json!(0), &json!(128)));
    assert_eq!(welcome["streams"], json!({ "user": 0, "client:k3Zq8vXw2LmN4pRt": 0 }));
    assert!(welcome["epoch"].as_i64().unwrap() > 1_700_000_000_000);
}

#[tokio::test]
async fn a_position_beyond_the_newest_is_not_believed() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    let welcome = ada.hello(TAB, json!({ "user": (1_u64 << 53) - 1 })).await;
    assert_eq!(welcome["streams"]["user"], 0);
    world.post("/dev/push", json!({ "type": "notification", "user_id": "ada" })).await;
    assert_eq!(ada.any().await["offset"], 1);
}

#[tokio::test]
async fn numbers_that_cannot_be_close_with_4400() {
    let world = World::new(&["--rate-limit-per-minute", "0"]).await;
    for fields in [
        json!({ "seq": 0 }),
        json!({ "seq": -1 }),
        json!({ "seq": 1.5 }),
        json!({ "seq": 1.0 }),
        json!({ "seq": 1, "prev": 0.0 }),
        json!({ "seq": "1" }),
        json!({ "seq": null }),
        json!({ "seq": 1_u64 << 60 }),
        json!({ "seq": 1, "prev": 1 }),
        json!({ "seq": 1, "prev": -1 }),
        json!({ "seq": 1, "prev": "0" }),
        json!({ "seq": 1e300 }),
    ] {
        let mut ada = world.connect("ada").await;
        ada.hello(TAB, json!({})).await;
        let mut frame = json!({ "type": "echo", "data": {} });
        frame.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        ada.send_text(&frame.to_string()).await;
        assert_eq!(ada.closed().await.0, 4400, "{fields}");
    }
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    for seq in 1..=5 {
        ada.say(seq, "echo", json!({})).await;
    }
    ada.acked(5).await;
    ada.send_text(r#"{"type":"echo","data":{},"seq":7,"prev":3}"#).await;
    assert_eq!(ada.closed().await.0, 4400);
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.send("hello", json!({ "versions": [1], "client_id": TAB })).await;
    assert_eq!(ada.closed().await.0, 4400);
    let counted = [
        r#"everwire_protocol_violations_total{kind="bad_number"} 12"#,
        r#"everwire_protocol_violations_total{kind="overlap"} 1"#,
        r#"everwire_protocol_violations_total{kind="repeated_hello"} 1"#,
        r#"everwire_hellos_total{result="welcome"} 14"#,
    ];
    world.metrics_have(&counted).await;
}

#[tokio::test]
async fn a_hello_may_have_64_kilobytes_and_a_numbered_message_96_bytes_more_than_others() {
    let world = World::new(&[]).await;
    let padded = |mut frame: Value, len: usize| {
        let missing = len - frame.to_string().len();
        frame["data"]["x"] = json!("x".repeat(missing));
        let text = frame.to_string();
        assert_eq!(text.len(), len);
        text
    };
    let hello = |len| padded(json!({ "type": "hello", "data": { "versions": [1], "client_id": TAB, "x": "" } }), len);
    let message = |len, seq| padded(json!({ "type": "echo", "data": { "x": "" }, "seq": seq }), len);
    let mut ada = world.connect("ada").await;
    ada.send_text(&hello(65_536)).await;
    ada.event("welcome").await;
    ada.send_text(&message(10_240 + 96, 1)).await;
    assert_eq!(ada.acked(1).await[0]["type"], "echo");
    ada.send_text(&message(10_240 + 97, 2)).await;
    assert_eq!(ada.acked(2).await[0]["data"]["code"], "too_large");
    let mut ada = world.connect("ada").await;
    ada.send_text(&hello(65_537)).await;
    assert_eq!(ada.closed().await.0, 1009);
}

#[tokio::test]
async fn more_than_the_window_is_processed_in_order_all_the_same() {
    let world = World::new(&["--rate-limit-per-minute", "0"]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    for seq in 1..=2000 {
        ada.say(seq, "join_session", json!({ "session_id": "s1", "n": seq })).await;
    }
    ada.acked(2000).await;
    let processed = processed(&world, "ada").await;
    assert!(processed.iter().map(|(seq, _)| *seq).eq(1..=2000));
    assert!(processed.iter().all(|(seq, data)| data["n"] == *seq));
}

#[tokio::test]
async fn requests_are_answered_once_and_their_refusals_survive_the_connection() {
    let world = World::new(&[]).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.ask(1, "join_match", json!({ "match_id": "m1" })).await;
    let answers = ada.acked(1).await;
    assert_eq!(answers.last().unwrap()["data"], json!({ "seq": 1, "result": {} }));
    ada.ask(2, "send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    let answers = ada.acked(2).await;
    assert_eq!(answers[0]["type"], "new_message");
    assert_eq!((&answers[0]["stream"], &answers[0]["offset"]), (&json!("user"), &json!(1)));
    assert_eq!(answers[1]["data"], json!({ "seq": 2, "result": answers[0]["data"] }));
    ada.ask(3, "read_message", json!({ "match_id": "m1", "message_id": "77" })).await;
    let mut answers = ada.acked(3).await;
    let refusal = answers.pop().unwrap();
    assert_eq!((&refusal["data"]["code"], &refusal["data"]["seq"]), (&json!("not_found"), &json!(3)));
    drop(ada);
    let mut ada = world.connect("ada").await;
    let welcome = ada.hello(TAB, json!({ "user": 1, "client:k3Zq8vXw2LmN4pRt": 2 })).await;
    assert_eq!(welcome["last"], 3);
    assert_eq!(ada.any().await, refusal);
    ada.settle().await;
}

#[tokio::test]
async fn refused_messages_count_as_processed() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "nonsense", json!({})).await;
    ada.say(2, "join_session", json!({ "session_id": 7 })).await;
    ada.send_text(r#"{"type":"echo","data":[],"seq":3}"#).await;
    ada.say(4, "message_sent", json!({ "session_id": "s1", "message": { "id": "m1", "content": "" } })).await;
    let refusals = ada.acked(4).await;
    let codes: Vec<_> = refusals.iter().map(|refusal| (&refusal["data"]["code"], &refusal["data"]["seq"])).collect();
    let expected = [("unknown_type", 1), ("malformed", 2), ("malformed", 3), ("not_joined", 4)]
        .map(|(code, seq)| (json!(code), json!(seq)));
    assert_eq!(codes, expected.iter().map(|(code, seq)| (code, seq)).collect::<Vec<_>>());
    assert!(refusals.iter().all(|refusal| refusal.get("stream").is_none()));
    assert_eq!(processed(&world, "ada").await.len(), 4);
}

#[tokio::test]
async fn messages_of_an_earlier_page_are_sent_on_under_its_client_id() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.ask(1, "echo", json!({})).await;
    ada.acked(1).await;
    world.post("/dev/push", json!({ "type": "notification", "user_id": "ada" })).await;
    ada.event("notification").await;
    ada.send("hello", json!({ "versions": [1], "client_id": OTHER_TAB })).await;
    let welcome = ada.event("welcome").await;
    assert_eq!(welcome["last"], 0);
    let carried = json!({ "user": 1, "client:k3Zq8vXw2LmN4pRt": 1, "client:another-tab-of-the-same": 0 });
    assert_eq!(welcome["streams"], carried);
    ada.ask(1, "echo", json!({ "old": true })).await;
    let reply = ada.acked(1).await.pop().unwrap();
    assert_eq!(reply["stream"], "client:another-tab-of-the-same");
    // The first client id is free again, without anyone being closed.
    let mut other = world.connect("ada").await;
    assert_eq!(other.hello(TAB, json!({})).await["last"], 1);
    ada.settle().await;
}

#[tokio::test]
async fn a_client_that_nobody_has_seen_for_long_is_forgotten() {
    let world = World::new(&["--client-age-s", "0.3"]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "echo", json!({})).await;
    ada.acked(1).await;
    tokio::time::sleep(Duration::from_millis(1000)).await;
    ada.say(2, "echo", json!({})).await;
    ada.acked(2).await;
    drop(ada);
    tokio::time::sleep(Duration::from_millis(3000)).await;
    let mut ada = world.connect("ada").await;
    assert_eq!(ada.hello(TAB, json!({})).await["last"], 0);
}

/// Several pages that believe to be the same one, and the network between them and the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_fight_over_a_client_id_process_each_message_once() {
    const MESSAGES: u64 = 3000;
    let flags = ["--rate-limit-per-minute", "0", "--max-connections-per-user", "1000"];
    let world = World::new(&flags).await;
    let token = world.token("ada").await;
    let fighters = (0..4).map(|_| async {
        loop {
            let mut ada = world.connect_with(&token).await;
            let hello = json!({ "type": "hello", "data": { "versions": [1], "client_id": TAB } }).to_string();
            if ada.socket.send(Message::text(hello)).await.is_err() {
                continue;
            }
            let mut last = None;
            while let Some(Ok(Message::Text(text))) = ada.socket.next().await {
                let event: Value = serde_json::from_str(&text).unwrap();
                if event["type"] == "welcome" {
                    last = event["data"]["last"].as_u64();
                    break;
                }
            }
            let Some(last) = last else { continue };
            if last == MESSAGES {
                return;
            }
            for seq in last + 1..=(last + fastrand::u64(1..200)).min(MESSAGES) {
                let message = json!({ "type": "echo", "data": { "n": seq }, "seq": seq }).to_string();
                if ada.socket.send(Message::text(message)).await.is_err() {
                    break;
                }
            }
            // Some look how far they came, the others are gone before the server has read it all.
            if fastrand::bool() {
                let _ = timeout(Duration::from_millis(5), ada.socket.next()).await;
            }
        }
    });
    timeout(Duration::from_secs(60), join_all(fighters)).await.unwrap();
    let processed = processed(&world, "ada").await;
    assert!(processed.iter().map(|(seq, _)| *seq).eq(1..=MESSAGES));
}

#[tokio::test]
async fn hellos_a_little_over_the_limit_are_answered_late() {
    let world = World::new(&["--rate-limit-per-minute", "120"]).await;
    let mut ada = world.connect("ada").await;
    for _ in 0..123 {
        ada.send("hello", json!({})).await;
        ada.event("error").await;
    }
}

#[tokio::test]
async fn hellos_far_over_the_limit_close_with_1013() {
    let world = World::new(&["--rate-limit-per-minute", "2"]).await;
    let mut ada = world.connect("ada").await;
    for _ in 0..2 {
        ada.send("hello", json!({})).await;
        ada.event("error").await;
    }
    ada.send("hello", json!({})).await;
    assert_eq!(ada.closed().await.0, 1013);
}

#[tokio::test]
async fn what_a_silent_connection_takes_is_not_processed() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(TAB, json!({})).await;
    ada.say(1, "echo", json!({})).await;
    ada.acked(1).await;
    world.post("/dev/silent", json!({ "user_id": "ada", "silent": true })).await;
    ada.say(2, "echo", json!({})).await;
    ada.hears_nothing().await;
    let mut ada = world.connect("ada").await;
    assert_eq!(ada.hello(TAB, json!({})).await["last"], 1);
    ada.say(2, "echo", json!({})).await;
    ada.acked(2).await;
    assert_eq!(processed(&world, "ada").await.len(), 2);
}

#[tokio::test]
async fn an_epoch_stays_with_its_database() {
    let file = std::env::temp_dir().join(format!("everwire-epoch-{}.sqlite3", std::process::id()));
    let epoch = async |flags: &[&str]| {
        let flags = [&["--database", file.to_str().unwrap()], flags].concat();
        let world = World::new(&flags).await;
        let welcome = world.connect("ada").await.hello(TAB, json!({})).await;
        world.server.drain().await;
        welcome["epoch"].as_u64().unwrap()
    };
    let created = epoch(&[]).await;
    assert_eq!(epoch(&[]).await, created);
    let later = (created + 1).to_string();
    assert_eq!(epoch(&["--epoch", &later]).await, created + 1);
    assert_eq!(epoch(&[]).await, created + 1);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}
