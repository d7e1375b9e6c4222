//! What a message does to memberships in rooms is undone with the rest of it, in memory as in the database.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/server/tests/common/client.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod client;
#[path = "../../../tests/server/tests/common/positions.rs"]
mod positions;

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
};

use axum::Router;
use client::Client;
use everwire_axum::{Context, DatabaseError, Everwire, Message, Refuse, Room, SqliteStore, Tokens, Wire};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::connect_async;

const SECRET: &str = "a secret that only this test knows";

/// How what a message does ends.
const FAILURES: [&str; 3] = ["refused", "violates a constraint", "panics"];

#[derive(serde::Deserialize)]
struct Enter {
    then: String,
}

impl Message for Enter {
    const TYPE: &str = "enter";
}

#[derive(serde::Deserialize)]
struct Leave {
    then: String,
}

impl Message for Leave {
    const TYPE: &str = "leave";
}

#[derive(serde::Deserialize)]
struct Expel {
    user: String,
    then: String,
}

impl Message for Expel {
    const TYPE: &str = "expel";
}

fn hall() -> Room {
    Room::new("hall")
}

fn then(ctx: &Context<'_>, how: &str) -> Result<(), Refuse> {
    match how {
        "refused" => Err(Refuse::new("not_now")),
        "violates a constraint" => {
            ctx.db().execute("INSERT INTO seats (owner) VALUES (NULL)", &[])?;
            Ok(())
        }
        "cannot be committed" => {
            ctx.db().execute("INSERT INTO seats (owner, hall) VALUES ('ada', 'nowhere')", &[])?;
            Ok(())
        }
        "panics" => panic!("a bug, on purpose"),
        _ => Ok(()),
    }
}

struct World {
    wire: Wire,
    addr: SocketAddr,
    /// Told when a handler has joined, and waits to be let go on.
    entered: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
}

impl World {
    async fn start() -> Self {
        let (enters, entered) = mpsc::channel();
        let (go_on, goes_on) = mpsc::channel();
        let goes_on = Mutex::new(goes_on);
        let enter = move |ctx: &mut Context<'_>, enter: Enter| {
            ctx.join(&hall())?;
            assert!(ctx.joined(&hall())? && ctx.members(&hall()).contains(&Arc::from(ctx.user())));
            ctx.publish_to_room(&hall(), "entered", &json!({ "user": ctx.user() }))?;
            if enter.then == "waits" {
                enters.send(()).unwrap();
                goes_on.lock().recv().unwrap();
                return Err(Refuse::new("not_now"));
            }
            then(ctx, &enter.then)
        };
        let leave = |ctx: &mut Context<'_>, leave: Leave| {
            ctx.leave(&hall())?;
            assert!(!ctx.members(&hall()).contains(&Arc::from(ctx.user())));
            then(ctx, &leave.then)
        };
        let expel = |ctx: &mut Context<'_>, expel: Expel| {
            let user = Arc::from(expel.user.as_str());
            ctx.remove(&user, &hall())?;
            assert!(!ctx.members(&hall()).contains(&user));
            then(ctx, &expel.then)
        };
        let setup = "CREATE TABLE halls (name TEXT PRIMARY KEY);
            CREATE TABLE seats (owner TEXT NOT NULL, hall TEXT REFERENCES halls DEFERRABLE INITIALLY DEFERRED)";
        let store = SqliteStore::in_memory().setup(setup);
        let wire =
            Everwire::new(store).tokens(Tokens::new(SECRET)).on(enter).on(leave).on(expel).start().await.unwrap();
        let app = Router::new().route("/api/ws", wire.route());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { wire, addr, entered, go_on }
    }

    async fn connect(&self, user: &str, says_hello: bool) -> Sender {
        let token = Tokens::new(SECRET).issue(user, None).unwrap();
        let url = format!("ws://{}/api/ws?token={token}", self.addr);
        let mut client = Client::new(connect_async(url).await.unwrap().0, positions::Positions::default());
        client.is(user);
        if says_hello {
            client.hello(&format!("{user}-k3Zq8vXw2LmN4pRt"), json!({})).await;
        } else {
            client.settle().await;
        }
        Sender { client, numbers: says_hello.then_some(0) }
    }

    /// Ada and Ben, who are in the hall.
    async fn in_hall(&self, say_hello: bool) -> [Sender; 2] {
        let mut both = [self.connect("ada", say_hello).await, self.connect("ben", say_hello).await];
        for sender in &mut both {
            assert_eq!(sender.send("enter", json!({ "then": "" })).await, None);
        }
        self.are_in_hall(&mut both).await;
        both
    }

    /// Whether these are in the room, and nobody else: by its members, by what is told, and by what is stored.
    async fn are_in_hall(&self, senders: &mut [Sender]) {
        let named = self.wire.transact(|ctx| Ok(ctx.members(&hall()))).await.unwrap();
        assert_eq!(named.len(), senders.len(), "{named:?}");
        assert_eq!(self.wire.tell_room(&hall(), "told", &json!({})), senders.len());
        self.wire.publish_to_room(&hall(), "published", json!({})).await.unwrap();
        for sender in senders {
            sender.client.next("told").await;
            sender.client.next("published").await;
        }
    }
}

struct Sender {
    client: Client,
    /// The number of the last message, if it numbers them.
    numbers: Option<u64>,
}

impl Sender {
    /// Sends a message and says why it was refused, if it was.
    async fn send(&mut self, kind: &str, data: Value) -> Option<String> {
        let refusal = |events: Vec<Value>| {
            let error = events.into_iter().find(|event| event["type"] == "error")?;
            Some(error["data"]["code"].as_str().unwrap().to_owned())
        };
        match &mut self.numbers {
            Some(seq) => {
                *seq += 1;
                self.client.say(*seq, kind, data).await;
                refusal(self.client.acked(*seq).await)
            }
            None => {
                self.client.send(kind, data).await;
                self.client.send("ping", json!({})).await;
                let mut events = Vec::new();
                loop {
                    let event = self.client.any().await;
                    if event["type"] == "pong" {
                        return refusal(events);
                    }
                    events.push(event);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_join_that_comes_to_nothing_joins_nobody() {
    for (says_hello, failure) in FAILURES.iter().flat_map(|failure| [(true, failure), (false, failure)]) {
        let world = World::start().await;
        let mut ada = world.connect("ada", says_hello).await;
        assert!(ada.send("enter", json!({ "then": failure })).await.is_some(), "{failure}");
        world.are_in_hall(&mut []).await;
        // Nor does it keep them from joining.
        assert_eq!(ada.send("enter", json!({ "then": "" })).await, None);
        world.are_in_hall(&mut [ada]).await;
    }
}

#[tokio::test]
async fn a_leave_that_comes_to_nothing_ends_no_membership() {
    for (say_hello, failure) in FAILURES.iter().flat_map(|failure| [(true, failure), (false, failure)]) {
        let world = World::start().await;
        let mut both = world.in_hall(say_hello).await;
        assert!(both[0].send("leave", json!({ "then": failure })).await.is_some(), "{failure}");
        world.are_in_hall(&mut both).await;
        assert_eq!(both[0].send("leave", json!({ "then": "" })).await, None);
        world.are_in_hall(&mut both[1..]).await;
    }
}

#[tokio::test]
async fn a_removal_that_comes_to_nothing_ends_no_membership_of_oneself_or_of_another() {
    for (say_hello, failure) in FAILURES.iter().flat_map(|failure| [(true, failure), (false, failure)]) {
        let world = World::start().await;
        let mut both = world.in_hall(say_hello).await;
        for user in ["ada", "ben"] {
            assert!(both[0].send("expel", json!({ "user": user, "then": failure })).await.is_some(), "{failure}");
            world.are_in_hall(&mut both).await;
        }
        assert_eq!(both[0].send("expel", json!({ "user": "ben", "then": "" })).await, None);
        world.are_in_hall(&mut both[..1]).await;
    }
}

#[tokio::test]
async fn a_transaction_of_the_applications_that_fails_or_panics_removes_nobody() {
    for (say_hello, panics) in [(true, true), (true, false), (false, true), (false, false)] {
        let world = World::start().await;
        let mut both = world.in_hall(say_hello).await;
        let removal = world.wire.transact::<()>(move |ctx| {
            ctx.remove(&Arc::from("ben"), &hall())?;
            assert!(!panics, "a bug, on purpose");
            Err(DatabaseError::Failed("not now"))
        });
        assert!(removal.await.is_err());
        world.are_in_hall(&mut both).await;
    }
}

#[tokio::test]
async fn a_join_whose_transaction_cannot_be_committed_joins_nobody() {
    let world = World::start().await;
    let mut ada = world.connect("ada", false).await;
    assert!(ada.send("enter", json!({ "then": "cannot be committed" })).await.is_some());
    world.are_in_hall(&mut []).await;
}

#[tokio::test]
async fn nobody_hears_of_a_join_before_it_is_stored_but_the_message_itself() {
    let world = World::start().await;
    let mut ada = world.connect("ada", true).await;
    ada.client.say(1, "enter", json!({ "then": "waits" })).await;
    let World { entered, wire, go_on, .. } = world;
    tokio::task::spawn_blocking(move || entered.recv().unwrap()).await.unwrap();
    assert_eq!(wire.tell_room(&hall(), "told", &json!({})), 0);
    go_on.send(()).unwrap();
    ada.client.acked(1).await;
    assert_eq!(wire.tell_room(&hall(), "told", &json!({})), 0);
}

#[tokio::test]
async fn what_is_published_by_who_has_just_joined_reaches_their_other_devices() {
    for say_hello in [true, false] {
        let world = World::start().await;
        let mut phone = world.connect("ada", false).await;
        let mut page = world.connect("ada", say_hello).await;
        assert_eq!(page.send("enter", json!({ "then": "" })).await, None);
        assert_eq!(phone.client.next("entered").await["data"]["user"], "ada");
    }
}
