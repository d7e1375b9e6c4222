//! The fault proxy between the clients and the reference server (`tests/faults/README.md`).
//!
//! Its rules concern every connection through it. A panic runs no destructor in a browser, so what a failed test has left
//! behind is removed by the next [`User`](crate::user::User).

use serde_json::{Value, json};

use crate::server::ask;

/// Where clients connect.
pub const URL: &str = match option_env!("EVERWIRE_TEST_PROXY") {
    Some(url) => url,
    None => "http://127.0.0.1:8791",
};

const CONTROL: &str = match option_env!("EVERWIRE_TEST_FAULTS") {
    Some(url) => url,
    None => "http://127.0.0.1:8792",
};

/// Puts a rule in force and returns its id.
pub async fn begin(rule: Value) -> u64 {
    let answer = ask("POST", &format!("{CONTROL}/rules"), Some(rule.to_string())).await;
    answer["id"].as_u64().unwrap()
}

/// How often a rule has struck.
pub async fn hits(rule: u64) -> u64 {
    let rules = ask("GET", &format!("{CONTROL}/rules"), None).await;
    let mut rules = rules.as_array().unwrap().iter();
    rules.find(|status| status["id"] == rule).unwrap()["hits"].as_u64().unwrap()
}

/// Ends all open connections without a close frame.
pub async fn reset() {
    begin(json!({ "fault": "reset" })).await;
}

/// Refuses new connections.
pub async fn refuse() -> u64 {
    begin(json!({ "fault": "refuse" })).await
}

/// Removes all rules.
pub async fn heal() {
    ask("DELETE", &format!("{CONTROL}/rules"), None).await;
}
