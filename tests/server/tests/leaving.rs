//! Leaving a session on one of several devices.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Client, World};
use serde_json::{Value, json};

const LAPTOP: &str = "the-laptop-of-the-user";
const PHONE: &str = "the-phone-of-the-user";

fn message(id: &str) -> Value {
    json!({ "session_id": "s1", "message": { "id": id, "content": "hi" } })
}

fn session() -> Value {
    json!({ "session_id": "s1" })
}

async fn joined_as(world: &World, user: &str, client_id: &str) -> Client {
    let mut client = world.connect(user).await;
    client.hello(client_id, json!({})).await;
    client.say(1, "join_session", session()).await;
    client.acked(1).await;
    client
}

async fn hears(client: &mut Client, id: &str) {
    assert_eq!(client.next("message_received").await["data"]["message"]["id"], id);
}

/// Sends one without a number, and says whether it was taken.
async fn may_send(client: &mut Client, id: &str) -> bool {
    client.send("message_sent", message(id)).await;
    client.send("echo", json!({ "behind": id })).await;
    loop {
        let event = client.any().await;
        match event["type"].as_str().unwrap() {
            "error" => {
                assert_eq!(event["data"]["code"], "not_joined");
                return false;
            }
            "echo" if event["data"]["behind"] == id => return true,
            _ => {}
        }
    }
}

#[tokio::test]
async fn who_leaves_on_one_device_stays_on_the_other_until_they_leave_there_too() {
    let world = World::new(&[]).await;
    let mut ben = world.member("ben", "s1").await;
    let mut laptop = world.member("ada", "s1").await;
    let mut phone = world.member("ada", "s1").await;
    laptop.send("leave_session", session()).await;
    laptop.send("leave_session", session()).await;
    laptop.settle().await;
    ben.send("message_sent", message("m1")).await;
    hears(&mut phone, "m1").await;
    assert!(may_send(&mut phone, "m2").await);
    hears(&mut ben, "m2").await;
    phone.send("leave_session", session()).await;
    assert!(!may_send(&mut phone, "m3").await);
    ben.send("message_sent", message("m4")).await;
    ben.settle().await;
    phone.settle_without("message_received").await;
}

#[tokio::test]
async fn the_same_holds_for_devices_in_the_reliable_mode() {
    let world = World::new(&[]).await;
    let mut ben = joined_as(&world, "ben", "the-laptop-of-ben").await;
    let mut laptop = joined_as(&world, "ada", LAPTOP).await;
    let mut phone = joined_as(&world, "ada", PHONE).await;
    laptop.say(2, "leave_session", session()).await;
    laptop.acked(2).await;
    ben.say(2, "message_sent", message("m1")).await;
    hears(&mut phone, "m1").await;
    phone.say(2, "message_sent", message("m2")).await;
    assert!(phone.acked(2).await.iter().all(|event| event["type"] != "error"));
    hears(&mut ben, "m2").await;
    phone.say(3, "leave_session", session()).await;
    phone.say(4, "message_sent", message("m3")).await;
    let events = phone.acked(4).await;
    assert!(events.iter().any(|event| event["type"] == "error" && event["data"]["code"] == "not_joined"), "{events:?}");
    ben.say(3, "message_sent", message("m4")).await;
    ben.acked(3).await;
    phone.settle_without("message_received").await;
}

#[tokio::test]
async fn a_device_without_hello_and_one_with_it_keep_their_user_in() {
    for plain_leaves_first in [true, false] {
        let world = World::new(&[]).await;
        let mut ben = world.member("ben", "s1").await;
        let mut reliable = joined_as(&world, "ada", LAPTOP).await;
        let mut plain = world.member("ada", "s1").await;
        let (leaves, mut stays) = if plain_leaves_first { (plain, reliable) } else { (reliable, plain) };
        plain = leaves;
        plain.send("leave_session", session()).await;
        plain.settle().await;
        ben.send("message_sent", message("m1")).await;
        hears(&mut stays, "m1").await;
        assert!(may_send(&mut stays, "m2").await);
        hears(&mut ben, "m2").await;
        stays.send("leave_session", session()).await;
        assert!(!may_send(&mut stays, "m3").await);
        reliable = stays;
        drop(reliable);
    }
}

#[tokio::test]
async fn a_device_that_is_away_keeps_nobody_in_and_joins_again_when_it_is_back() {
    let world = World::new(&[]).await;
    let mut ben = world.member("ben", "s1").await;
    let phone = joined_as(&world, "ada", PHONE).await;
    let mut laptop = joined_as(&world, "ada", LAPTOP).await;
    drop(phone);
    world.until("the phone is away", async || world.server.connections() == 2).await;
    laptop.say(2, "leave_session", session()).await;
    laptop.say(3, "message_sent", message("m1")).await;
    let events = laptop.acked(3).await;
    assert!(events.iter().any(|event| event["type"] == "error"), "{events:?}");
    let mut phone = world.connect("ada").await;
    phone.hello(PHONE, json!({})).await;
    assert!(!may_send(&mut phone, "m2").await);
    phone.send("join_session", session()).await;
    assert!(may_send(&mut phone, "m3").await);
    hears(&mut ben, "m3").await;
}

#[tokio::test]
async fn the_others_are_told_that_a_user_has_left_when_they_have_on_their_last_device() {
    let world = World::new(&[]).await;
    let mut ben = world.member("ben", "s1").await;
    let mut laptop = world.member("ada", "s1").await;
    let mut phone = world.member("ada", "s1").await;
    while ben.roster().await["members"].as_array().unwrap().len() != 2 {}
    laptop.send("leave_session", session()).await;
    laptop.settle().await;
    // The next roster is that of eve's coming, and ada is in it.
    let _eve = world.member("eve", "s1").await;
    loop {
        let roster = ben.roster().await;
        let members: Vec<_> = roster["members"].as_array().unwrap().iter().map(|member| &member["user_id"]).collect();
        assert!(members.iter().any(|user| *user == "ada"), "{roster}");
        if members.len() == 3 {
            break;
        }
    }
    phone.send("leave_session", session()).await;
    while ben.roster().await["members"].as_array().unwrap().len() != 2 {}
}

#[tokio::test]
async fn a_connection_that_another_of_its_client_has_replaced_keeps_nobody_in() {
    let world = World::new(&[]).await;
    let _before = joined_as(&world, "ada", LAPTOP).await;
    let mut laptop = world.connect("ada").await;
    laptop.hello(LAPTOP, json!({})).await;
    laptop.send("join_session", session()).await;
    laptop.send("leave_session", session()).await;
    assert!(!may_send(&mut laptop, "m1").await);
}

#[tokio::test]
async fn who_has_left_on_one_device_is_out_when_the_other_one_closes() {
    let world = World::new(&[]).await;
    let mut laptop = world.member("ada", "s1").await;
    let phone = world.member("ada", "s1").await;
    laptop.send("leave_session", session()).await;
    assert!(may_send(&mut laptop, "m1").await);
    drop(phone);
    world.until("the phone is gone", async || world.server.connections() == 1).await;
    assert!(!may_send(&mut laptop, "m2").await);
}

#[tokio::test]
async fn who_leaves_and_joins_again_at_once_is_in() {
    let world = World::new(&[]).await;
    let mut laptop = joined_as(&world, "ada", LAPTOP).await;
    laptop.say(2, "leave_session", session()).await;
    laptop.say(3, "join_session", session()).await;
    assert!(may_send(&mut laptop, "m1").await);
    laptop.say(4, "message_sent", message("m2")).await;
    assert!(laptop.acked(4).await.iter().all(|event| event["type"] != "error"));
}
