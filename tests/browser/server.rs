//! The control endpoints of the reference server (`tests/server/README.md`).

use serde_json::{Value, json};

use crate::page;
use crate::waiting::until_async;

/// Where the reference server listens.
pub const URL: &str = match option_env!("EVERWIRE_TEST_SERVER") {
    Some(url) => url,
    None => "http://127.0.0.1:8790",
};

/// One frame that arrived at the server.
#[derive(Debug)]
pub struct Received {
    pub connection: Value,
    pub kind: String,
    pub data: Value,
}

/// How many connections a user has, and has had.
#[derive(Debug, PartialEq)]
pub struct Connections {
    pub open: u64,
    pub accepted: u64,
    pub refused: u64,
}

pub async fn token(user: &str, life_s: i64) -> String {
    let answer = post("token", json!({ "user_id": user, "ttl_s": life_s })).await;
    answer["token"].as_str().unwrap().into()
}

/// Closes the user's connections; without a code the TCP connections go away without a word.
pub async fn drop_connections(user: &str, code: Option<u16>) {
    reach("drop", "dropped", json!({ "user_id": user, "code": code, "reason": "a test asked for it" })).await;
}

/// Makes the user's connections fall silent; later ones answer.
pub async fn silence(user: &str) {
    reach("silent", "affected", json!({ "user_id": user, "silent": true })).await;
}

pub async fn refuse(user: &str, for_ms: u32) {
    post("refuse", json!({ "user_id": user, "for_ms": for_ms })).await;
}

pub async fn push(user: &str, kind: &str, data: Value) {
    reach("push", "delivered", json!({ "user_id": user, "type": kind, "data": data })).await;
}

pub async fn emotion(user: &str, message_id: &str) -> Value {
    reach("emotion", "delivered", json!({ "user_id": user, "message_id": message_id })).await["data"].clone()
}

pub async fn raw(user: &str, text: &str) {
    reach("raw", "delivered", json!({ "user_id": user, "text": text })).await;
}

pub async fn raw_binary(user: &str, text: &str) {
    reach("raw", "delivered", json!({ "user_id": user, "text": text, "binary": true })).await;
}

/// What the user has sent, heartbeats left out, in order.
pub async fn received(user: &str) -> Vec<Received> {
    let frames = call("GET", &format!("received?user_id={user}"), None).await;
    let frames = frames.as_array().unwrap().iter().map(|frame| Received {
        connection: frame["connection"].clone(),
        kind: frame["type"].as_str().unwrap_or_default().into(),
        data: frame["data"].clone(),
    });
    frames.filter(|frame| frame.kind != "ping").collect()
}

/// The types of what the user has sent.
pub async fn received_types(user: &str) -> Vec<String> {
    received(user).await.into_iter().map(|frame| frame.kind).collect()
}

pub async fn connections(user: &str) -> Connections {
    let answer = call("GET", &format!("connections?user_id={user}"), None).await;
    let [open, accepted, refused] = ["open", "accepted", "refused"].map(|name| answer[name].as_u64().unwrap());
    Connections { open, accepted, refused }
}

/// Asks until it reaches a connection: the client hears of a connection earlier than the server's own books.
async fn reach(path: &str, reached: &str, body: Value) -> Value {
    let mut answer = Value::Null;
    until_async(&format!("{path} reaches a connection"), async || {
        answer = post(path, body.clone()).await;
        answer[reached] != 0
    })
    .await;
    answer
}

async fn post(path: &str, body: Value) -> Value {
    call("POST", path, Some(body.to_string())).await
}

async fn call(method: &str, path: &str, body: Option<String>) -> Value {
    let answer = page::request(method, &format!("{URL}/dev/{path}"), body).await.unwrap_or_else(|error| {
        panic!(
            "the reference server at {URL} did not do what was asked: {}\n\
             If it does not run, start it with\n    \
             cargo run -p everwire-server -- --dev --port 8790 --rate-limit-per-minute 0",
            page::message_of(&error)
        )
    });
    serde_json::from_str(&answer.as_string().unwrap()).unwrap()
}
