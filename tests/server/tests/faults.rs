//! The fault proxy between a real client and a real server.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, PATIENCE, World};
use everwire_server::faults::{Direction, Fault, FaultProxy, Rule};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{connect_async, tungstenite};

struct Line {
    world: World,
    proxy: FaultProxy,
    token: String,
}

impl Line {
    async fn new() -> Self {
        let world = World::new(&["--rate-limit-per-minute", "0"]).await;
        let proxy = FaultProxy::start(([127, 0, 0, 1], 0).into(), world.server.addr()).await.unwrap();
        let token = world.token("ada").await;
        Self { world, proxy, token }
    }

    async fn try_connect(&self) -> Result<Client, tungstenite::Error> {
        let url = format!("ws://{}/api/ws?token={}", self.proxy.addr(), self.token);
        Ok(Client::new(connect_async(url).await?.0))
    }

    async fn connect(&self) -> Client {
        let mut client = self.try_connect().await.unwrap();
        client.event("connected").await;
        client
    }

    fn add(&self, fault: Fault) -> u64 {
        self.proxy.rules().add(Rule::new(fault))
    }

    fn hits(&self, id: u64) -> u64 {
        self.proxy.rules().status().iter().find(|status| status.id == id).unwrap().hits
    }

    async fn received(&self) -> usize {
        self.world.received("ada").await.len()
    }
}

async fn took(action: impl Future) -> u128 {
    let start = Instant::now();
    action.await;
    start.elapsed().as_millis()
}

#[tokio::test]
async fn without_rules_it_only_passes_on_and_counts() {
    let line = Line::new().await;
    let mut ada = line.connect().await;
    for n in 0..100 {
        ada.send("echo", json!({ "n": n })).await;
        assert_eq!(ada.event("echo").await["n"], n);
    }
    let traffic = line.proxy.traffic();
    assert_eq!((traffic.open, traffic.accepted, traffic.refused), (1, 1, 0));
    assert!(traffic.bytes_up > 5_000 && traffic.bytes_down > 5_000, "{traffic:?}");
    drop(ada);
    line.world.until("closed", async || line.proxy.traffic().open == 0).await;
}

#[tokio::test]
async fn latency_delays_and_keeps_the_order() {
    let line = Line::new().await;
    let mut ada = line.connect().await;
    let id = line.proxy.rules().add(Rule::new(Fault::Latency { ms: 80, jitter_ms: 40 }).direction(Direction::Down));
    let start = Instant::now();
    for n in 0..20 {
        ada.send("echo", json!({ "n": n })).await;
    }
    for n in 0..20 {
        assert_eq!(ada.event("echo").await["n"], n);
    }
    let took = start.elapsed().as_millis();
    assert!((80..1500).contains(&took), "{took} ms: delays must overlap");
    assert!(line.hits(id) > 0);
}

#[tokio::test]
async fn a_slow_line_takes_its_time() {
    let line = Line::new().await;
    let mut ada = line.connect().await;
    line.proxy.rules().add(Rule::new(Fault::Bandwidth { bytes_per_s: 20_000 }).direction(Direction::Up));
    let took = took(async {
        ada.send("echo", json!({ "x": "x".repeat(6000) })).await;
        ada.event("echo").await;
    });
    let took = took.await;
    assert!((250..8000).contains(&took), "{took} ms");
}

#[tokio::test]
async fn a_black_hole_takes_bytes_in_one_direction_and_the_news_of_the_end() {
    let line = Line::new().await;
    let mut ada = line.connect().await;
    ada.settle().await;
    let rule = Rule::new(Fault::Swallow).direction(Direction::Up);
    let id = line.proxy.rules().add(rule);
    ada.send("ping", json!({})).await;
    line.world.post("/dev/push", json!({ "type": "notification", "user_id": "ada" })).await;
    ada.event("notification").await;
    ada.hears_nothing().await;
    assert_eq!(line.received().await, 1);
    assert_eq!(line.hits(id), 1);
    drop(ada);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(line.world.server.connections(), 1);
    line.proxy.rules().remove(id);
    line.world.until("the end arrives", async || line.world.server.connections() == 0).await;
}

#[tokio::test]
async fn a_half_open_line_loses_nothing_and_goes_on_afterwards() {
    let line = Line::new().await;
    let mut ada = line.connect().await;
    let rule = Rule::new(Fault::HalfOpen).direction(Direction::Up).lasting(Duration::from_millis(300));
    line.proxy.rules().add(rule);
    let took = took(ada.settle()).await;
    assert!((200..8000).contains(&took), "{took} ms");
}

#[tokio::test]
async fn a_stall_cuts_a_frame_in_its_middle() {
    let line = Line::new().await;
    let mut ada = line.connect().await;
    let id = line.add(Fault::Stall { after_bytes: 3 });
    ada.send("ping", json!({})).await;
    line.world.until("stalled", async || line.hits(id) > 0).await;
    ada.hears_nothing().await;
    assert_eq!(line.received().await, 0);
    line.proxy.rules().remove(id);
    ada.event("pong").await;
    ada.settle().await;
}

#[tokio::test]
async fn a_reset_and_a_close_end_open_connections_once() {
    let line = Line::new().await;
    for fault in [Fault::Reset, Fault::Close] {
        let mut ada = line.connect().await;
        let id = line.add(fault);
        ada.aborted().await;
        assert_eq!(line.hits(id), 1, "{fault:?}");
        line.connect().await.settle().await;
        line.world.until("gone", async || line.proxy.traffic().open == 0).await;
    }
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_close_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::start(([127, 0, 0, 1], 0).into(), listener.local_addr().unwrap()).await.unwrap();
    for (fault, expected) in [(Fault::Reset, Err(std::io::ErrorKind::ConnectionReset)), (Fault::Close, Ok(0))] {
        let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
        client.write_all(b"x").await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'x');
        proxy.rules().add(Rule::new(fault));
        let read = timeout(PATIENCE, client.read(&mut [0])).await.unwrap().map_err(|error| error.kind());
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn refusing_and_slow_handshakes_strike_new_connections_only() {
    let line = Line::new().await;
    let mut ada = line.connect().await;
    let id = line.proxy.rules().add(Rule::new(Fault::Refuse));
    assert!(line.try_connect().await.is_err());
    assert_eq!((line.hits(id), line.proxy.traffic().refused), (1, 1));
    ada.settle().await;
    line.proxy.rules().clear();
    let id = line.add(Fault::SlowHandshake { ms: 200 });
    let took = took(line.connect()).await;
    assert!((200..8000).contains(&took), "{took} ms");
    assert_eq!(line.hits(id), 1);
}

#[tokio::test]
async fn a_rule_starts_and_ends_by_itself() {
    let line = Line::new().await;
    let mut ada = line.connect().await;
    let rule = Rule::new(Fault::HalfOpen).starting_in(Duration::from_millis(100)).lasting(Duration::from_millis(200));
    let start = Instant::now();
    let id = line.proxy.rules().add(rule);
    assert!(!line.proxy.rules().status()[0].active);
    ada.settle().await;
    line.world.until("struck", async || line.hits(id) > 0).await;
    ada.settle().await;
    let took = start.elapsed().as_millis();
    assert!((300..8000).contains(&took), "{took} ms");
    assert!(!line.proxy.rules().status()[0].active);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_reset_and_another_can_take_its_place() {
    let line = Line::new().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    line.proxy.set_target(closed);
    assert!(line.try_connect().await.is_err());
    line.proxy.set_target(line.world.server.addr());
    line.connect().await.settle().await;
}

#[tokio::test]
async fn it_is_controlled_over_http() {
    let mut line = Line::new().await;
    let control = line.proxy.control(([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = |path: &str| format!("http://{control}{path}");
    let http = reqwest::Client::new();
    let post = async |rule: Value| {
        let response = http.post(url("/rules")).json(&rule).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let rule = json!({ "fault": "latency", "ms": 5, "jitter_ms": 2, "direction": "down", "for_ms": 60000 });
    let (status, answer) = post(rule).await;
    assert_eq!((status, answer), (200, json!({ "id": 1 })));
    line.connect().await.settle().await;
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
    }
    let removed: Value = http.delete(url("/rules/1")).send().await.unwrap().json().await.unwrap();
    assert_eq!(removed, json!({ "removed": 1 }));
    assert_eq!(http.delete(url("/rules/1")).send().await.unwrap().status(), 404);
    let cleared: Value = http.delete(url("/rules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(cleared, json!({ "removed": 8 }));
    let traffic: Value = http.get(url("/traffic")).send().await.unwrap().json().await.unwrap();
    assert!(traffic["accepted"].as_u64().unwrap() >= 1);
    let target = json!({ "addr": line.world.server.addr() });
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
