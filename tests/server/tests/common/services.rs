//! Nodes on one PostgreSQL and one Redis: `EVERWIRE_POSTGRES` and `EVERWIRE_REDIS` are their URLs.

use std::time::{Duration, Instant};

use super::World;

const NEEDED: &str = "needs PostgreSQL and Redis";

/// Names that no other run has, for the database is the same for all.
pub fn fresh(name: &str) -> String {
    format!("{name}-{:016x}", fastrand::u64(..))
}

pub fn services() -> [String; 2] {
    ["EVERWIRE_POSTGRES", "EVERWIRE_REDIS"].map(|name| std::env::var(name).expect(NEEDED))
}

pub async fn node(name: &str) -> World {
    let [postgres, redis] = services();
    World::new(&["--database", &postgres, "--redis", &redis, "--node", name, "--secret", "the secret of all nodes"])
        .await
}

pub async fn nodes() -> (World, World) {
    tokio::join!(node("a"), node("b"))
}

pub async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !reached().await {
        assert!(started.elapsed() < Duration::from_secs(10), "never: {what}");
    }
}
