//! The control endpoints of the reference server (`tests/server/README.md`).

use serde_json::{Value, json};

use crate::page;
use crate::waiting::until_async;

/// Where the reference server listens. Clients come to it through the [fault proxy](crate::faults).
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
}

pub async fn token(user: &str, life_s: i64) -> String {
    let answer = post("token", json!({ "user_id": user, "ttl_s": life_s })).await;
    answer["token"].as_str().unwrap().into()
}

/// Makes a match of two users and returns its id.
pub async fn make_match(users: [&str; 2]) -> String {
    let id = format!("match-{}", page::random_name());
    post("match", json!({ "match_id": id, "users": users })).await;
    id
}

/// Closes the user's connections.
pub async fn close(user: &str, code: u16) {
    reach("drop", "dropped", json!({ "user_id": user, "code": code, "reason": "a test asked for it" })).await;
}

pub async fn push(user: &str, kind: &str, data: Value) {
    reach("push", "delivered", json!({ "user_id": user, "type": kind, "data": data })).await;
}

/// Stores an event for a user who is away.
pub async fn store(user: &str, kind: &str, data: Value) {
    post("push", json!({ "user_id": user, "type": kind, "data": data })).await;
}

/// Forgets so many of the oldest stored events of a user, and returns the offset of the last of them.
pub async fn forget(user: &str, events: u32) -> u64 {
    post("forget", json!({ "user_id": user, "events": events })).await["upto"].as_u64().unwrap()
}

/// The numbered messages of a user that were processed, in order: their numbers and their data.
pub async fn processed(user: &str) -> Vec<(u64, Value)> {
    let messages = call("GET", &format!("processed?user_id={user}"), None).await;
    let messages = messages.as_array().unwrap().iter();
    messages.map(|message| (message["seq"].as_u64().unwrap(), message["data"].clone())).collect()
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
    let [open, accepted] = ["open", "accepted"].map(|name| answer[name].as_u64().unwrap());
    Connections { open, accepted }
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
    ask(method, &format!("{URL}/dev/{path}"), body).await
}

/// Sends a control request, to the server or to the proxy.
pub async fn ask(method: &str, url: &str, body: Option<String>) -> Value {
    let answer = page::request(method, url, body).await.unwrap_or_else(|error| {
        panic!(
            "what was asked was not done: {}\n\
             If the reference server and its fault proxy do not run, start them with\n    \
             cargo run -p everwire-server -- --dev --port 8790 --rate-limit-per-minute 0\n    \
             cargo run -p everwire-faults -- \
             --listen 127.0.0.1:8791 --target 127.0.0.1:8790 --control 127.0.0.1:8792",
            page::message_of(&error)
        )
    });
    serde_json::from_str(&answer.as_string().unwrap()).unwrap()
}
