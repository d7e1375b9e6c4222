//! The hook for error trackers. A process has one subscriber, so this test is alone in its file.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::{Arc, Mutex};

use common::World;
use everwire_server::error_hook;
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_error_tracker_is_told_of_what_the_server_fails_at_and_of_nothing_else() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = told.clone();
    let hook = error_hook(move |incident| listener.lock().unwrap().push((incident.message, incident.fields)));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(hook)).unwrap();
    // A disk that is full.
    let world = World::new(&["--audit", "/dev/full"]).await;
    let mut ada = world.connect("ada").await;
    ada.send("nonsense", json!({})).await;
    ada.event("error").await;
    world.until("it was told", async || !told.lock().unwrap().is_empty()).await;
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    let (message, fields) = &told[0];
    assert_eq!(message, "the audit trail cannot be written");
    assert!(fields["error"].contains("space"), "{fields:?}");
}
