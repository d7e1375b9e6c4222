//! Two server processes on one database, as during a rolling restart.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::mortal::{Mortal, Socket, next};
use futures_util::{SinkExt as _, future::join_all};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

const TAB: &str = "k3Zq8vXw2LmN4pRt";
const OTHER_TAB: &str = "another-tab-of-the-same";

fn two(name: &str) -> [Mortal; 2] {
    let mut first = Mortal::new(name);
    first.start();
    let mut second = first.beside();
    second.start();
    [first, second]
}

async fn say(socket: &mut Socket, frame: Value) -> bool {
    socket.send(Message::text(frame.to_string())).await.is_ok()
}

async fn next_of(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let event = next(socket).await.unwrap_or_else(|| panic!("ended before a {kind}"));
        if event["type"] == kind {
            return event;
        }
    }
}

async fn acked(socket: &mut Socket, seq: u64) {
    while next_of(socket, "ack").await["data"]["seq"] != seq {}
}

/// The code of the close frame that comes next, whatever else comes before it.
async fn closed(socket: &mut Socket) -> u16 {
    use futures_util::StreamExt as _;
    loop {
        match timeout(Duration::from_secs(10), socket.next()).await.expect("still open").unwrap().unwrap() {
            Message::Close(Some(frame)) => return frame.code.into(),
            Message::Close(None) => panic!("closed without a code"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_id_that_moves_between_two_processes_has_each_message_processed_once() {
    const MESSAGES: u64 = 2000;
    let servers = two("fight");
    let fighters = (0..4).map(|fighter| {
        let servers = &servers;
        async move {
            for n in fighter.. {
                let Some((mut ada, welcome)) = servers[n % 2].hello_as("ada", TAB, json!({})).await else { continue };
                let last = welcome["last"].as_u64().unwrap();
                if last == MESSAGES {
                    return;
                }
                for seq in last + 1..=(last + fastrand::u64(1..100)).min(MESSAGES) {
                    if !say(&mut ada, json!({ "type": "echo", "data": { "n": seq }, "seq": seq })).await {
                        break;
                    }
                }
                // Some look how far they came, the others are gone before the server has read it all.
                if fastrand::bool() {
                    let _ = timeout(Duration::from_millis(5), next(&mut ada)).await;
                }
            }
        }
    });
    timeout(Duration::from_secs(60), join_all(fighters)).await.unwrap();
    let processed = servers[0].get("dev/processed?user_id=ada").await;
    let seqs: Vec<u64> = processed.as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert!(seqs.iter().copied().eq(1..=MESSAGES), "{} messages processed", seqs.len());
}

#[tokio::test]
async fn a_message_on_the_connection_that_has_lost_its_client_id_to_the_other_process_is_not_processed() {
    let [first, second] = two("fence");
    let (mut old, _) = first.hello("ada", json!({})).await;
    say(&mut old, json!({ "type": "echo", "data": { "n": 1 }, "seq": 1 })).await;
    acked(&mut old, 1).await;
    let (mut new, welcome) = second.hello("ada", json!({})).await;
    assert_eq!(welcome["last"], 1);
    // Both have message 2 under way; only the connection whose hello was last may have it processed.
    say(&mut old, json!({ "type": "echo", "data": { "from": "old" }, "seq": 2 })).await;
    assert_eq!(closed(&mut old).await, 4410);
    say(&mut new, json!({ "type": "echo", "data": { "from": "new" }, "seq": 2 })).await;
    acked(&mut new, 2).await;
    let processed = first.get("dev/processed?user_id=ada").await;
    assert_eq!(processed[1]["data"], json!({ "from": "new" }));
    assert_eq!(processed.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_silent_connection_is_closed_when_its_client_id_says_hello_to_the_other_process() {
    let [first, second] = two("takeover");
    let (mut old, _) = first.hello("ada", json!({})).await;
    let (_new, _) = second.hello("ada", json!({})).await;
    assert_eq!(closed(&mut old).await, 4410);
}

#[tokio::test]
async fn events_reach_the_connections_of_both_processes_once_and_in_order() {
    const EVENTS: u64 = 400;
    let servers = two("events");
    let (first, welcome) = servers[0].hello_as("ada", TAB, json!({})).await.unwrap();
    let (second, _) = servers[1].hello_as("ada", OTHER_TAB, json!({})).await.unwrap();
    let begin = welcome["streams"]["user"].as_u64().unwrap();
    let pushing = join_all(servers.iter().map(async |server| {
        for n in 0..EVENTS / 2 {
            assert!(server.push("ada", n).await);
        }
    }));
    let reading = join_all([first, second].map(async |mut socket| {
        for offset in begin + 1..=begin + EVENTS {
            assert_eq!(next_of(&mut socket, "notification").await["offset"], offset);
        }
    }));
    tokio::join!(pushing, reading);
}

#[tokio::test]
async fn a_member_on_one_process_gets_what_is_said_on_the_other_and_its_sender_the_receipt() {
    let [first, second] = two("session");
    let (mut ada, _) = first.hello("ada", json!({})).await;
    let (mut ben, _) = second.hello("ben", json!({})).await;
    let join = json!({ "type": "join_session", "data": { "session_id": "s1" }, "seq": 1 });
    for member in [&mut ada, &mut ben] {
        say(member, join.clone()).await;
        acked(member, 1).await;
    }
    let message = json!({ "session_id": "s1", "message": { "id": "m1", "content": "hi" } });
    say(&mut ada, json!({ "type": "message_sent", "data": message, "seq": 2 })).await;
    assert_eq!(next_of(&mut ben, "message_received").await["data"]["message"]["id"], "m1");
    assert_eq!(next_of(&mut ada, "receipt").await["data"], json!({ "seq": 2, "status": "delivered" }));
    // Who has left on their last device is no member for the other process either.
    let (mut bens_other, _) = first.hello_as("ben", OTHER_TAB, json!({})).await.unwrap();
    say(&mut bens_other, join).await;
    acked(&mut bens_other, 1).await;
    say(&mut ben, json!({ "type": "leave_session", "data": { "session_id": "s1" }, "seq": 2 })).await;
    acked(&mut ben, 2).await;
    say(&mut bens_other, json!({ "type": "leave_session", "data": { "session_id": "s1" }, "seq": 2 })).await;
    acked(&mut bens_other, 2).await;
    say(&mut ada, json!({ "type": "message_sent", "data": message, "seq": 3 })).await;
    acked(&mut ada, 3).await;
    second.push("ben", 7).await;
    for connection in [&mut ben, &mut bens_other] {
        let event = next(connection).await.unwrap();
        assert_eq!(event["data"]["n"], 7, "{event}");
    }
}

#[tokio::test]
async fn a_match_that_one_process_made_can_be_joined_at_the_other() {
    let [first, second] = two("match");
    first.post("dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    let (mut ada, _) = second.hello("ada", json!({})).await;
    let joining = async {
        for seq in 1.. {
            let join = json!({ "type": "join_match", "data": { "match_id": "m1" }, "seq": seq, "request": true });
            say(&mut ada, join).await;
            loop {
                match next(&mut ada).await.unwrap()["type"].as_str() {
                    Some("reply") => return,
                    Some("error") => break,
                    _ => {}
                }
            }
        }
    };
    timeout(Duration::from_secs(10), joining).await.expect("it knows of no match");
    let taken = json!({ "match_id": "m1", "users": ["ada", "eve"] });
    assert_eq!(second.try_post("dev/match", taken).await, 409);
}

#[tokio::test]
async fn two_processes_that_make_the_database_at_the_same_time_have_one_epoch() {
    for round in 0..5 {
        let mut first = Mortal::new(&format!("creation-{round}"));
        let mut second = first.beside();
        first.spawn(&["--rate-limit-per-minute", "0"]);
        second.spawn(&["--rate-limit-per-minute", "0"]);
        first.wait_until_ready();
        second.wait_until_ready();
        let (_ada, one) = first.hello("ada", json!({})).await;
        let (_ben, other) = second.hello("ben", json!({})).await;
        assert_eq!(one["epoch"], other["epoch"]);
    }
}

#[tokio::test]
async fn a_connection_that_has_not_said_hello_gets_the_events_that_the_other_process_stores() {
    let [first, second] = two("plain");
    let (_ada, welcome) = first.hello("ada", json!({})).await;
    let mut plain = second.connect("ada").await;
    assert!(first.push("ada", 1).await);
    assert_eq!(next_of(&mut plain, "notification").await["offset"], welcome["streams"]["user"].as_u64().unwrap() + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_writes_without_a_pause_leaves_the_other_its_turn() {
    const MESSAGES: u64 = 4000;
    let [first, second] = two("turns");
    let (mut ada, _) = first.hello("ada", json!({})).await;
    let (_ben, _) = second.hello("ben", json!({})).await;
    let busy = async {
        for seq in 1..=MESSAGES {
            assert!(say(&mut ada, json!({ "type": "echo", "data": {}, "seq": seq, "request": true })).await);
        }
        acked(&mut ada, MESSAGES).await;
    };
    let taking_turns = async {
        let mut longest = Duration::ZERO;
        for n in 0..50 {
            let started = Instant::now();
            assert!(second.push("ben", n).await);
            longest = longest.max(started.elapsed());
        }
        longest
    };
    let ((), longest) = tokio::join!(busy, taking_turns);
    assert!(longest < Duration::from_secs(3), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_on_one_process_stays_where_a_device_at_another_has_joined() {
    let servers = two("leaving");
    let (mut laptop, _) = servers[0].hello_as("ada", TAB, json!({})).await.unwrap();
    let (mut phone, _) = servers[1].hello_as("ada", OTHER_TAB, json!({})).await.unwrap();
    let (mut ben, _) = servers[0].hello_as("ben", "the-one-tab-of-ben", json!({})).await.unwrap();
    let session = json!({ "session_id": "s1" });
    for socket in [&mut laptop, &mut phone, &mut ben] {
        say(socket, json!({ "type": "join_session", "data": session, "seq": 1 })).await;
        acked(socket, 1).await;
    }
    let message = |id: &str, seq: u64| {
        let data = json!({ "session_id": "s1", "message": { "id": id, "content": "hi" } });
        json!({ "type": "message_sent", "data": data, "seq": seq })
    };
    say(&mut laptop, json!({ "type": "leave_session", "data": session, "seq": 2 })).await;
    acked(&mut laptop, 2).await;
    say(&mut ben, message("m1", 2)).await;
    assert_eq!(next_of(&mut phone, "message_received").await["data"]["message"]["id"], "m1");
    say(&mut phone, message("m2", 2)).await;
    assert_eq!(next_of(&mut ben, "message_received").await["data"]["message"]["id"], "m2");
    say(&mut phone, json!({ "type": "leave_session", "data": session, "seq": 3 })).await;
    acked(&mut phone, 3).await;
    say(&mut laptop, message("m3", 3)).await;
    assert_eq!(next_of(&mut laptop, "error").await["data"]["code"], "not_joined");
}
