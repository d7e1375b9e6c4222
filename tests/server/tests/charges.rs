//! What a user sends is charged, waits as text, and is in nobody else's way.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, World, mortal::Mortal};
use futures_util::{SinkExt as _, StreamExt as _, future::join_all};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

async fn metric(world: &World, name: &str) -> u64 {
    let text = reqwest::get(world.url("/metrics")).await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).unwrap_or("0");
    line.parse().unwrap()
}

fn tab(n: usize) -> String {
    format!("tab-number-{n:0>10}")
}

#[tokio::test]
async fn duplicates_are_charged_and_do_not_keep_the_database_from_others() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.hello(&tab(0), json!({})).await;
    let mut ben = world.connect("ben").await;
    ben.hello(&tab(0), json!({})).await;
    ada.say(1, "echo", json!({})).await;
    ada.acked(1).await;
    let duplicate = json!({ "type": "echo", "data": {}, "seq": 1 }).to_string();
    let (mut up, mut down) = ada.socket.split();
    let started = Instant::now();
    let flood = async {
        for _ in 0..20_000 {
            if up.send(Message::text(duplicate.clone())).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await
    };
    let reading = async { while down.next().await.is_some() {} };
    let others = async {
        for seq in 1..=50 {
            ben.say(seq, "echo", json!({})).await;
            ben.acked(seq).await;
        }
        // Until nothing of the flood is on its way any more.
        let mut before = u64::MAX;
        loop {
            let now = metric(&world, "everwire_duplicates_total").await;
            if now == before {
                break;
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = flood => {}
        () = reading => panic!("closed"),
        () = others => {}
    }
    let allowed = 100 + started.elapsed().as_secs() * 2 + 2;
    let duplicates = metric(&world, "everwire_duplicates_total").await;
    assert!((1..=allowed).contains(&duplicates), "{duplicates} of {allowed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tabs_with_a_backlog_hear_of_their_messages_within_ten_seconds_each() {
    const TABS: usize = 20;
    let world = World::new(&[]).await;
    let mut clients = Vec::new();
    for n in 0..TABS {
        let mut client = world.connect("ada").await;
        client.hello(&tab(n), json!({})).await;
        clients.push(client);
    }
    let listening = clients.into_iter().map(|mut client| async move {
        for seq in 1..=60 {
            client.say(seq, "echo", json!({})).await;
        }
        let (mut longest, mut last) = (Duration::ZERO, 0);
        let mut heard = Instant::now();
        let until = Instant::now() + Duration::from_secs(25);
        while let Ok(Some(frame)) = timeout(until.saturating_duration_since(Instant::now()), client.socket.next()).await
        {
            let event: Value = serde_json::from_str(frame.unwrap().to_text().unwrap()).unwrap();
            if event["type"] == "ack" {
                let seq = event["data"]["seq"].as_u64().unwrap();
                assert!(seq >= last, "{seq} after {last}");
                last = seq;
                longest = longest.max(heard.elapsed());
                heard = Instant::now();
                if last == 60 {
                    return (longest, last);
                }
            }
        }
        (longest.max(heard.elapsed()), last)
    });
    let heard = join_all(listening).await;
    // The longest that a client waits is ten.
    assert!(heard.iter().all(|(longest, _)| *longest < Duration::from_secs(5)), "{heard:?}");
    assert!(heard.iter().filter(|(_, last)| *last < 60).count() > 15, "{heard:?}");
}

#[tokio::test]
async fn a_ping_over_the_limit_is_answered_late_and_not_with_an_error() {
    let world = World::new(&["--rate-limit-per-minute", "60"]).await;
    let mut ada = world.connect("ada").await;
    let started = Instant::now();
    for _ in 0..62 {
        ada.send("ping", json!({})).await;
    }
    for _ in 0..62 {
        ada.event("pong").await;
    }
    assert!(started.elapsed() > Duration::from_millis(1_500), "{:?}", started.elapsed());
}

/// Bytes of a process that are in memory.
#[cfg(target_os = "linux")]
fn resident(pid: u32) -> u64 {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
    let id = Pid::from_u32(pid);
    let mut system = System::new().unwrap();
    let wanted = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, wanted);
    system.process(id).unwrap().memory()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_at_every_limit_at_once_takes_less_than_64_megabytes() {
    const CONNECTIONS: usize = 30;
    const MESSAGES: u64 = 140;
    let mut server = Mortal::new("memory");
    server.start_with(&["--rate-limit-per-minute", "100"]);
    let mut clients = Vec::new();
    for n in 0..CONNECTIONS {
        clients.push(server.hello_as("eve", &tab(n), json!({})).await.unwrap().0);
    }
    let before = resident(server.pid());
    // As many objects as fit: what takes the most room once it is more than text.
    let payload = vec![r#"{"":0}"#; 1_450].join(",");
    let flood = clients.into_iter().map(|client| {
        let payload = payload.clone();
        tokio::spawn(async move {
            let (mut up, mut down) = client.split();
            let reading = tokio::spawn(async move { while let Some(Ok(_)) = down.next().await {} });
            for seq in 1..=MESSAGES {
                let message = format!(r#"{{"type":"echo","data":{{"x":[{payload}]}},"seq":{seq}}}"#);
                if up.send(Message::text(message)).await.is_err() {
                    break;
                }
            }
            let _ = reading.await;
        })
    });
    let flood: Vec<_> = flood.collect();
    let mut most = before;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(resident(server.pid()));
    }
    let grown = (most - before) / 1_000_000;
    assert!(grown < 64, "{grown} MB");
    // It is not because nothing was taken: the first hundred are processed, and it is still there.
    let started = Instant::now();
    while server.get("dev/processed?user_id=eve").await.as_array().unwrap().len() < 100 {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing was taken");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    flood.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_connection_is_closed_with_4401_when_its_token_expires() {
    let world = World::new(&[]).await;
    let token = world.post("/dev/token", json!({ "user_id": "ada", "ttl_s": 2 })).await;
    let mut ada = world.connect_with(token["token"].as_str().unwrap()).await;
    ada.event("connected").await;
    ada.settle().await;
    let started = Instant::now();
    assert_eq!(ada.closed().await, (4401, "token expired".to_owned()));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_a_token_says_about_its_start_and_its_audience_counts() {
    use jsonwebtoken::{EncodingKey, Header, encode};
    const SECRET: &str = "the secret of the server";
    const FUTURE: u64 = 4_000_000_000;
    let sign = |more: Value| {
        let mut claims = json!({ "sub": "ada", "exp": FUTURE });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
    };
    let is_taken = async |world: &World, token: &str| {
        let mut client: Client = world.connect_with(token).await;
        client.frame().await.is_text()
    };
    let any = World::new(&["--secret", SECRET]).await;
    assert!(is_taken(&any, &sign(json!({ "nbf": 1 }))).await);
    assert!(!is_taken(&any, &sign(json!({ "nbf": FUTURE - 1 }))).await);
    assert!(is_taken(&any, &sign(json!({ "aud": "another-app" }))).await);
    let own = World::new(&["--secret", SECRET, "--audience", "app"]).await;
    assert!(is_taken(&own, &sign(json!({ "aud": ["other", "app"] }))).await);
    assert!(is_taken(&own, &own.token("ada").await).await);
    assert!(!is_taken(&own, &sign(json!({ "aud": "another-app" }))).await);
    assert!(!is_taken(&own, &sign(json!({}))).await);
}
