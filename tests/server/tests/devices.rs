//! A user's other devices and tabs: only the connection that sends is left out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Client, World};
use serde_json::{Value, json};

const TAB: &str = "k3Zq8vXw2LmN4pRt";
const OTHER_TAB: &str = "another-tab-of-the-same";

fn message(id: &str) -> Value {
    json!({ "session_id": "s1", "message": { "id": id, "content": "hi" } })
}

async fn world() -> World {
    let world = World::new(&[]).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ada", "ben"] })).await;
    world
}

async fn tab(world: &World, client_id: &str) -> Client {
    let mut tab = world.connect("ada").await;
    tab.hello(client_id, json!({})).await;
    tab
}

#[tokio::test]
async fn what_a_user_sends_and_types_in_a_session_appears_on_their_other_device_and_not_on_the_same() {
    let world = world().await;
    let mut phone = world.member("ada", "s1").await;
    let mut laptop = world.connect("ada").await;
    phone.send("user_typing", json!({ "session_id": "s1", "isTyping": true })).await;
    let typing = laptop.event("typing_indicator").await;
    assert_eq!((&typing["user_id"], &typing["isTyping"]), (&json!("ada"), &json!(true)));
    phone.send("message_sent", message("c1")).await;
    let received = laptop.event("message_received").await;
    assert_eq!((&received["message"]["id"], &received["message"]["user_id"]), (&json!("c1"), &json!("ada")));
    phone.settle().await;
    // The device that joined is a member for both.
    laptop.send("message_sent", message("c2")).await;
    assert_eq!(phone.event("message_received").await["message"]["id"], "c2");
    laptop.settle().await;
}

#[tokio::test]
async fn typing_in_a_match_appears_on_the_users_other_device_until_it_stops() {
    let world = world().await;
    let mut phone = world.connect("ada").await;
    phone.send("join_match", json!({ "match_id": "m1" })).await;
    phone.event("user_online_status").await;
    let mut laptop = world.connect("ada").await;
    let ada = json!({ "match_id": "m1", "user_id": "ada" });
    phone.send("typing", json!({ "match_id": "m1", "is_typing": true })).await;
    assert_eq!(laptop.event("user_typing").await, ada);
    assert_eq!(laptop.event("typing_stopped").await, ada);
    phone.settle().await;
}

#[tokio::test]
async fn a_message_of_a_match_and_its_receipt_reach_every_device_of_both_users() {
    let world = world().await;
    let mut phone = world.connect("ada").await;
    phone.send("join_match", json!({ "match_id": "m1" })).await;
    phone.event("user_online_status").await;
    let mut laptop = world.connect("ada").await;
    let mut ben = world.connect("ben").await;
    let mut bens_other = world.connect("ben").await;
    ben.send("join_match", json!({ "match_id": "m1" })).await;
    phone.send("send_message", json!({ "match_id": "m1", "content": "hi" })).await;
    let id = ben.next("new_message").await["data"]["id"].take();
    for client in [&mut phone, &mut laptop, &mut bens_other] {
        assert_eq!(client.next("new_message").await["data"]["id"], id);
    }
    ben.send("read_message", json!({ "match_id": "m1", "message_id": id })).await;
    for client in [&mut phone, &mut laptop, &mut ben, &mut bens_other] {
        assert_eq!(client.next("message_read").await["data"]["message_id"], id);
    }
}

#[tokio::test]
async fn in_a_stream_the_tab_that_sent_a_message_knows_it_by_client_id_and_number() {
    let world = world().await;
    let mut tab_one = tab(&world, TAB).await;
    let mut tab_two = tab(&world, OTHER_TAB).await;
    let mut ben = world.connect("ben").await;
    ben.hello(TAB, json!({})).await;
    ben.say(1, "join_session", json!({ "session_id": "s1" })).await;
    ben.acked(1).await;
    tab_one.say(1, "join_session", json!({ "session_id": "s1" })).await;
    tab_one.say(2, "message_sent", message("c1")).await;
    for client in [&mut tab_one, &mut tab_two] {
        let event = client.next("message_received").await;
        assert_eq!(event["data"]["message"]["id"], "c1");
        assert_eq!((&event["client_id"], &event["seq"]), (&json!(TAB), &json!(2)), "{event}");
        assert_eq!((&event["stream"], &event["offset"]), (&json!("user"), &json!(1)), "{event}");
    }
    // Who else is a member is not told which client it was.
    let event = ben.next("message_received").await;
    assert!(event.get("client_id").is_none() && event.get("seq").is_none(), "{event}");
    // It is in the history of the user's next page likewise.
    let mut later = world.connect("ada").await;
    later.hello("the-page-that-came-next", json!({ "user": 0 })).await;
    let event = later.next("message_received").await;
    assert_eq!((&event["client_id"], &event["seq"]), (&json!(TAB), &json!(2)), "{event}");
}

#[tokio::test]
async fn a_device_without_the_reliable_mode_is_told_of_what_another_sends_and_not_of_its_own() {
    let world = world().await;
    let mut tab = tab(&world, TAB).await;
    let mut plain = world.member("ada", "s1").await;
    plain.send("message_sent", message("c1")).await;
    let event = tab.next("message_received").await;
    assert!(event["offset"].is_u64() && event.get("client_id").is_none(), "{event}");
    plain.settle().await;
    tab.say(1, "message_sent", message("c2")).await;
    assert_eq!(plain.event("message_received").await["message"]["id"], "c2");
    // A message without a number has none to be known by.
    tab.next("message_received").await;
    tab.send("message_sent", message("c3")).await;
    let event = tab.next("message_received").await;
    assert_eq!((&event["client_id"], event.get("seq")), (&json!(TAB), None), "{event}");
}

#[tokio::test]
async fn a_message_that_only_the_users_own_devices_have_is_not_delivered() {
    let world = world().await;
    let mut tab_one = tab(&world, TAB).await;
    let mut tab_two = tab(&world, OTHER_TAB).await;
    tab_one.say(1, "join_session", json!({ "session_id": "s1" })).await;
    tab_one.say(2, "message_sent", message("c1")).await;
    tab_two.next("message_received").await;
    let before = tab_one.acked(2).await;
    assert!(before.iter().all(|event| event["type"] != "receipt"), "{before:?}");
    tab_one.settle_without("receipt").await;
}
