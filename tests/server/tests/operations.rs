//! Metrics, health, audit trail, logs, shutdown: what operators rely on.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use common::World;
use serde_json::{Value, json};

async fn metrics(world: &World) -> String {
    reqwest::get(world.url("/metrics")).await.unwrap().text().await.unwrap()
}

fn value(metrics: &str, series: &str) -> f64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {series} in\n{metrics}")).parse().unwrap()
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let world = World::new(&[]).await;
    let mut ada = world.connect("ada").await;
    ada.send("join_session", json!({ "session_id": "s1" })).await;
    ada.roster().await;
    ada.settle().await;
    ada.send("nonsense", json!({})).await;
    ada.event("error").await;
    ada.send_text("{").await;
    ada.event("error").await;
    let ben = world.connect("ben").await;
    drop(ben);
    world.until("one left", async || world.server.connections() == 1).await;
    let mut bad = world.connect_with("bad").await;
    bad.closed().await;
    let text = metrics(&world).await;
    for (series, expected) in [
        ("everwire_connections", 1.0),
        ("everwire_connections_accepted_total", 2.0),
        (r#"everwire_disconnects_total{cause="peer"}"#, 1.0),
        (r#"everwire_handshakes_rejected_total{reason="token invalid"}"#, 1.0),
        (r#"everwire_messages_received_total{type="ping"}"#, 1.0),
        (r#"everwire_messages_received_total{type="join_session"}"#, 1.0),
        (r#"everwire_messages_received_total{type="other"}"#, 1.0),
        (r#"everwire_messages_received_total{type="malformed"}"#, 1.0),
        (r#"everwire_messages_sent_total{type="connected"}"#, 2.0),
        (r#"everwire_messages_sent_total{type="error"}"#, 2.0),
        (r#"everwire_errors_total{kind="unknown_type"}"#, 1.0),
        (r#"everwire_errors_total{kind="malformed"}"#, 1.0),
        ("everwire_send_latency_seconds_count", 6.0),
        ("everwire_handling_seconds_count", 4.0),
        ("everwire_queued_frames", 0.0),
        ("everwire_sessions", 1.0),
        ("ws_connections_total", 2.0),
        (r#"ws_messages_total{type="join_session"}"#, 1.0),
        (r#"ws_errors_total{kind="unknown_type"}"#, 1.0),
        ("ws_message_latency_seconds_count", 4.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    assert!(text.ends_with("# EOF\n"));
}

/// Names that a text mentions, without the suffixes that a histogram adds.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with("everwire_") || word.starts_with("ws_"))
        .map(|word| {
            let suffix = ["_bucket", "_sum", "_count"].into_iter().find(|suffix| word.ends_with(suffix));
            suffix.map_or(word, |suffix| word.trim_end_matches(suffix)).to_owned()
        })
        .collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_use_only_metrics_that_exist() {
    let world = World::new(&[]).await;
    world.connect_with("bad").await.closed().await;
    let mut ada = world.connect("ada").await;
    ada.send("nonsense", json!({})).await;
    ada.event("error").await;
    drop(ada);
    world.until("disconnect counted", async || metrics(&world).await.contains("everwire_disconnects_total{")).await;
    let exported = names(&metrics(&world).await);
    let grafana = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana");
    let dashboard = std::fs::read_to_string(grafana.join("dashboard.json")).unwrap();
    let alerts = std::fs::read_to_string(grafana.join("alerts.yml")).unwrap();
    for text in [&dashboard, &alerts] {
        let used = names(text);
        assert!(!used.is_empty());
        let unknown: Vec<_> = used.difference(&exported).collect();
        assert!(unknown.is_empty(), "{unknown:?} not among {exported:?}");
    }
    // The thresholds of the originals.
    for (alert, expression, severity) in [
        ("EverwireSlowMessages", "ws_message_latency_seconds_bucket[5m]))) > 0.2", "warning"),
        ("EverwireErrorRate", "sum(rate(ws_errors_total[5m])) > 0.01 * sum(rate(ws_messages_total[5m]))", "critical"),
    ] {
        let rule = alerts.split("- alert: ").find(|rule| rule.starts_with(&format!("{alert}\n"))).expect(alert);
        let severity = format!("severity: {severity}");
        assert!(rule.contains(expression) && rule.contains("for: 5m") && rule.contains(&severity), "{rule}");
    }
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 8);
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(panel["title"].is_string() && panel["gridPos"]["w"].is_u64(), "{panel}");
        for target in panel["targets"].as_array().unwrap() {
            assert!(target["expr"].is_string(), "{panel}");
        }
    }
}

#[tokio::test]
async fn health_says_ok_and_how_many() {
    let world = World::new(&[]).await;
    let _ada = world.connect("ada").await;
    assert_eq!(world.get("/healthz").await, json!({ "status": "ok", "connections": 1 }));
    let expected = json!({ "status": "healthy", "websocket": "enabled", "connections": 1 });
    assert_eq!(world.get("/health").await, expected);
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("everwire-server-{name}-{}", std::process::id()))
}

#[tokio::test]
async fn the_audit_trail_says_who_and_when_and_not_what() {
    let file = temporary("audit");
    let _ = std::fs::remove_file(&file);
    let world = World::new(&["--audit", file.to_str().unwrap()]).await;
    let token = world.token("ada").await;
    let mut ada = world.connect_with(&token).await;
    ada.event("connected").await;
    ada.send("echo", json!({ "text": "a secret of ada" })).await;
    ada.event("echo").await;
    world.connect_with("bad-token").await.closed().await;
    drop(ada);
    let lines = || std::fs::read_to_string(&file).unwrap_or_default();
    world.until("four lines", async || lines().lines().count() == 4).await;
    let text = lines();
    assert!(!text.contains("a secret of ada") && !text.contains(&token) && !text.contains("bad-token"), "{text}");
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |event: &str| entries.iter().find(|entry| entry["event"] == event).unwrap();
    assert_eq!(find("connect")["user"], "ada");
    assert_eq!(find("message")["type"], "echo");
    assert!(find("message")["bytes"].is_u64());
    assert_eq!(find("disconnect")["cause"], "peer");
    assert_eq!(find("rejected")["reason"], "token invalid");
    find("connect")["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn the_audit_trail_has_every_event_with_its_outcome() {
    let file = temporary("outcomes");
    let _ = std::fs::remove_file(&file);
    let world = World::new(&["--audit", file.to_str().unwrap(), "--rate-limit-per-minute", "9"]).await;
    let entries = || -> Vec<Value> {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(!text.contains("a secret of ada"), "{text}");
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let mut ada = world.member("ada", "s1").await;
    let message = json!({ "session_id": "s1", "message": { "id": "m1", "content": "a secret of ada" } });
    ada.send("message_sent", message.clone()).await;
    ada.send("message_sent", json!({ "session_id": "s2", "message": { "id": "m1", "content": "" } })).await;
    ada.event("error").await;
    ada.send_text("{").await;
    ada.event("error").await;
    ada.send("leave_session", json!({ "session_id": "s1" })).await;
    ada.hello("k3Zq8vXw2LmN4pRt", json!({})).await;
    ada.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ada.say(2, "message_sent", message.clone()).await;
    ada.acked(2).await;
    world.until("it is written down", async || entries().iter().any(|entry| entry["seq"] == 2)).await;
    ada.say(2, "message_sent", message.clone()).await;
    ada.acked(2).await;
    ada.say(3, "nonsense", json!({})).await;
    ada.acked(3).await;
    ada.send("echo", json!({})).await;
    assert_eq!(ada.event("error").await["code"], "rate_limited");
    world.post("/dev/push", json!({ "type": "notification", "session_id": "s1" })).await;
    drop(ada);
    world.until("ada is gone", async || entries().iter().any(|entry| entry["event"] == "disconnect")).await;
    let entries = entries();
    let messages: Vec<_> = entries
        .iter()
        .filter(|entry| entry["event"] == "message" && !["ping", "hello"].iter().any(|kind| entry["type"] == *kind))
        .map(|entry| {
            assert!(entry["user"] == "ada" && entry["bytes"].is_u64(), "{entry}");
            (entry["type"].as_str(), entry["outcome"].as_str().unwrap(), entry["code"].as_str(), entry["seq"].as_u64())
        })
        .collect();
    assert_eq!(
        messages,
        [
            (Some("join_session"), "processed", None, None),
            (Some("message_sent"), "processed", None, None),
            (Some("message_sent"), "refused", Some("not_joined"), None),
            (None, "malformed", Some("malformed"), None),
            (Some("leave_session"), "processed", None, None),
            (Some("join_session"), "processed", None, Some(1)),
            (Some("message_sent"), "processed", None, Some(2)),
            (Some("message_sent"), "duplicate", None, Some(2)),
            (Some("nonsense"), "refused", Some("unknown_type"), Some(3)),
            (Some("echo"), "limited", Some("rate_limited"), None),
        ]
    );
    let rooms = |event: &str| -> Vec<_> {
        entries.iter().filter(|entry| entry["event"] == event).map(|entry| entry["room"].clone()).collect()
    };
    assert_eq!((rooms("join").len(), rooms("leave")), (2, vec![json!("session:s1")]));
    let push = entries.iter().find(|entry| entry["event"] == "push").unwrap();
    let expected = (&json!("notification"), &json!("session:s1"), &json!(1));
    assert_eq!((&push["type"], &push["to"], &push["delivered"]), expected);
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn draining_closes_with_1012_and_lets_nobody_in() {
    let world = World::new(&[]).await;
    let addr = world.server.addr();
    let mut ada = world.connect("ada").await;
    let mut ben = world.connect("ben").await;
    let drained = tokio::spawn(world.server.drain());
    assert_eq!(ada.closed().await.0, 1012);
    assert_eq!(ben.closed().await.0, 1012);
    ada.aborted().await;
    ben.aborted().await;
    assert!(drained.await.unwrap());
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn draining_ends_in_time_with_a_client_that_does_not_answer() {
    let world = World::new(&["--drain-timeout-s", "0.3"]).await;
    let _deaf = world.connect("ada").await;
    assert!(!world.server.drain().await);
}

#[tokio::test]
async fn the_application_pushes_with_its_key() {
    let world = World::new(&["--app-key", "the key of the application"]).await;
    let mut ada = world.member("ada", "s1").await;
    let push = async |key: &str, body: Value| {
        let request = reqwest::Client::new().post(world.url("/api/events")).bearer_auth(key).json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    let update = json!({ "type": "session_update", "data": { "step": 2 }, "session_id": "s1" });
    assert_eq!(push("the key of the application", update.clone()).await, 200);
    assert_eq!(ada.event("session_update").await, json!({ "step": 2 }));
    assert_eq!(push("another key", update.clone()).await, 401);
    let mut emotion = json!({ "type": "emotion_update", "user_id": "ada", "data": { "message_id": "m1", "emotion": {
        "primary_emotion": "joy", "intensity": 0.5, "learning_readiness": 0.5, "cognitive_load": "low",
        "pad_values": { "pleasure": 0.1, "arousal": 0.2, "dominance": 0.3 } } } });
    assert_eq!(push("the key of the application", emotion.clone()).await, 200);
    ada.event("emotion_update").await;
    emotion["data"]["emotion"]["intensity"] = json!(2);
    assert_eq!(push("the key of the application", emotion).await, 422);
    for kind in ["ack", "welcome", "open", ""] {
        let event = json!({ "type": kind, "data": { "seq": 1 }, "user_id": "ada" });
        assert_eq!(push("the key of the application", event).await, 422, "{kind}");
    }
    ada.settle().await;

    let without_key = World::new(&[]).await;
    assert_eq!(without_key.try_post("/api/events", update).await.0, 404);
}
