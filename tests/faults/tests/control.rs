//! The program and its control endpoints.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::World;
use serde_json::{Value, json};

#[tokio::test]
async fn it_is_controlled_over_http() {
    let mut world = World::new().await;
    let control = world.proxy.control(([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = |path: &str| format!("http://{control}{path}");
    let http = reqwest::Client::new();
    let post = async |rule: Value| {
        let response = http.post(url("/rules")).json(&rule).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let rule = json!({ "fault": "latency", "ms": 5, "jitter_ms": 2, "direction": "down", "for_ms": 60000 });
    let (status, answer) = post(rule).await;
    assert_eq!((status, answer), (200, json!({ "id": 1 })));
    world.connect().await.echo("delayed").await;
    let rules: Value = http.get(url("/rules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(rules[0]["fault"], "latency");
    assert_eq!(rules[0]["active"], true);
    assert!(rules[0]["hits"].as_u64().unwrap() > 0 && rules[0]["bytes"].as_u64().unwrap() > 0, "{rules}");
    for (fault, expected) in [
        (json!({ "fault": "swallow" }), 200),
        (json!({ "fault": "stall", "after_bytes": 10 }), 200),
        (json!({ "fault": "half_open", "direction": "up" }), 200),
        (json!({ "fault": "bandwidth", "bytes_per_s": 100 }), 200),
        (json!({ "fault": "slow_handshake", "ms": 10 }), 200),
        (json!({ "fault": "refuse", "after_ms": 10, "for_ms": 10 }), 200),
        (json!({ "fault": "reset" }), 200),
        (json!({ "fault": "close" }), 200),
        (json!({ "fault": "gremlins" }), 422),
        (json!({ "fault": "bandwidth" }), 422),
    ] {
        let (status, answer) = post(fault.clone()).await;
        assert_eq!(status, expected, "{fault}: {answer}");
        assert_eq!(answer["error"].is_string(), expected != 200, "{answer}");
    }
    let removed: Value = http.delete(url("/rules/1")).send().await.unwrap().json().await.unwrap();
    assert_eq!(removed, json!({ "removed": 1 }));
    assert_eq!(http.delete(url("/rules/1")).send().await.unwrap().status(), 404);
    let cleared: Value = http.delete(url("/rules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(cleared, json!({ "removed": 8 }));
    let traffic: Value = http.get(url("/traffic")).send().await.unwrap().json().await.unwrap();
    assert!(traffic["accepted"].as_u64().unwrap() >= 1);
    let target = json!({ "addr": World::new().await.proxy.addr() });
    assert_eq!(http.put(url("/target")).json(&target).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_binary_prints_both_addresses() {
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_everwire-faults"))
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = tokio::io::BufReader::new(child.stdout.take().unwrap());
    tokio::io::AsyncBufReadExt::read_line(&mut stdout, &mut line).await.unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["ready", proxy, "control", control] = words[..] else { panic!("{line:?}") };
    assert!(proxy.starts_with("http://127.0.0.1:"));
    let rules: Value = reqwest::get(format!("{control}rules")).await.unwrap().json().await.unwrap();
    assert_eq!(rules, json!([]));
}
