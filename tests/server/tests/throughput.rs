//! How many numbered messages the server processes in a second.
//!
//! `cargo test --release -p everwire-server --test throughput -- --ignored --nocapture`

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::mortal::{Mortal, Socket};
use futures_util::{SinkExt as _, StreamExt as _, future::join_all};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// A message by its number and the number of its client.
type MakeMessage = fn(u64, usize) -> Value;

const CLIENTS: usize = 20;
const MESSAGES: u64 = 5000;

/// Sends all messages without waiting, reads until the last is acknowledged, and counts the acknowledgements.
async fn send_all(socket: &mut Socket, mut message: impl FnMut(u64) -> Value) -> u64 {
    let (mut up, mut down) = socket.split();
    let sending = async {
        for seq in 2..=MESSAGES + 1 {
            up.feed(Message::text(message(seq).to_string())).await.unwrap();
        }
        up.flush().await.unwrap();
    };
    let reading = async {
        let mut acks = 0;
        loop {
            let frame = timeout(Duration::from_secs(60), down.next()).await.unwrap().unwrap().unwrap();
            let text = frame.to_text().unwrap();
            if text.starts_with(r#"{"type":"ack""#) {
                acks += 1;
                let ack: Value = serde_json::from_str(text).unwrap();
                if ack["data"]["seq"] == MESSAGES + 1 {
                    return acks;
                }
            }
        }
    };
    tokio::join!(sending, reading).1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
#[expect(clippy::print_stderr, reason = "what it is for")]
async fn numbered_messages_in_a_second() {
    let messages: [(&str, MakeMessage); 3] = [
        ("no effect", |seq, _| json!({ "type": "leave_session", "data": { "session_id": "none" }, "seq": seq })),
        (
            "requests with a reply",
            |seq, _| json!({ "type": "echo", "data": { "text": "hello" }, "seq": seq, "request": true }),
        ),
        ("messages to another user, with receipts", |seq, client| {
            let message = json!({ "id": seq.to_string(), "content": "hello" });
            let data = json!({ "session_id": format!("s{}", client / 2), "message": message });
            json!({ "type": "message_sent", "data": data, "seq": seq })
        }),
    ];
    for (what, message) in messages {
        let mut server = Mortal::new("throughput");
        server.start();
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let (mut socket, _) = server.hello(&format!("user{client}"), json!({})).await;
            let room = json!({ "session_id": format!("s{}", client / 2) });
            let join = json!({ "type": "join_session", "data": room, "seq": 1 }).to_string();
            socket.send(Message::text(join)).await.unwrap();
            clients.push(socket);
        }
        let started = Instant::now();
        let sending = clients.iter_mut().enumerate();
        let sending = sending.map(|(client, socket)| send_all(socket, move |seq| message(seq, client)));
        let acks: u64 = join_all(sending).await.iter().sum();
        let seconds = started.elapsed().as_secs_f64();
        let messages = CLIENTS as u64 * MESSAGES;
        eprintln!("{what}: {messages} in {seconds:.2} s, {:.0}/s, {acks} acks", messages as f64 / seconds);
    }
}
