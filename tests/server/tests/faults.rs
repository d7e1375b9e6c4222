//! A real client of a real server, with the fault proxy between them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::{Client, World, positions::Positions};
use everwire_faults::{Direction, Fault, FaultProxy, Rule};
use serde_json::json;
use tokio::net::TcpListener;
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
        Ok(Client::new(connect_async(url).await?.0, Positions::default()))
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
async fn a_server_that_is_gone_is_a_reset_and_another_can_take_its_place() {
    let line = Line::new().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    line.proxy.set_target(closed);
    assert!(line.try_connect().await.is_err());
    line.proxy.set_target(line.world.server.addr());
    line.connect().await.settle().await;
}
