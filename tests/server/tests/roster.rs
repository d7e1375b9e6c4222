//! Who is in a session or match, and who of them is there.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Client, World};
use serde_json::{Value, json};

fn members(list: &[(&str, bool)]) -> Value {
    list.iter().map(|(user, online)| json!({ "user_id": user, "online": online })).collect()
}

/// Connects and joins, and reads nothing yet.
async fn joined(world: &World, user: &str) -> Client {
    let mut client = world.connect(user).await;
    client.send("join_session", json!({ "session_id": "s1" })).await;
    client
}

/// Reads until the members are these.
async fn becomes(client: &mut Client, id: &str, list: &[(&str, bool)]) {
    loop {
        let roster = client.roster().await;
        assert_eq!(roster["session_id"], id);
        if roster["members"] == members(list) {
            return;
        }
    }
}

#[tokio::test]
async fn members_of_a_session_are_told_who_joins_leaves_and_goes() {
    let world = World::new(&[]).await;
    let mut ada = joined(&world, "ada").await;
    becomes(&mut ada, "s1", &[("ada", true)]).await;
    let mut ben = joined(&world, "ben").await;
    becomes(&mut ada, "s1", &[("ada", true), ("ben", true)]).await;
    becomes(&mut ben, "s1", &[("ada", true), ("ben", true)]).await;
    let eve = joined(&world, "eve").await;
    becomes(&mut ada, "s1", &[("ada", true), ("ben", true), ("eve", true)]).await;
    ben.send("leave_session", json!({ "session_id": "s1" })).await;
    becomes(&mut ada, "s1", &[("ada", true), ("eve", true)]).await;
    drop(eve);
    becomes(&mut ada, "s1", &[("ada", true)]).await;
}

#[tokio::test]
async fn a_member_whose_events_are_stored_is_offline_while_away_and_online_again_before_they_join() {
    let world = World::new(&[]).await;
    let mut ada = joined(&world, "ada").await;
    let mut ben = world.connect("ben").await;
    ben.hello("k3Zq8vXw2LmN4pRt", json!({})).await;
    ben.say(1, "join_session", json!({ "session_id": "s1" })).await;
    becomes(&mut ada, "s1", &[("ada", true), ("ben", true)]).await;
    drop(ben);
    becomes(&mut ada, "s1", &[("ada", true), ("ben", false)]).await;
    let _ben = world.connect("ben").await;
    becomes(&mut ada, "s1", &[("ada", true), ("ben", true)]).await;
}

#[tokio::test]
async fn a_device_that_joins_where_another_is_already_is_told_as_well() {
    let world = World::new(&[]).await;
    let mut phone = joined(&world, "ada").await;
    becomes(&mut phone, "s1", &[("ada", true)]).await;
    let mut laptop = joined(&world, "ada").await;
    becomes(&mut laptop, "s1", &[("ada", true)]).await;
}

#[tokio::test]
async fn who_has_joined_a_match_is_told_when_the_other_comes_and_goes() {
    let world = World::new(&[]).await;
    world.post("/dev/match", json!({ "match_id": "m1", "users": ["ben", "ada"] })).await;
    let mut ada = world.connect("ada").await;
    ada.send("join_match", json!({ "match_id": "m1" })).await;
    let roster = ada.roster().await;
    assert_eq!((&roster["match_id"], &roster["session_id"]), (&json!("m1"), &json!("m1")));
    assert_eq!(roster["members"], members(&[("ada", true), ("ben", false)]));
    let ben = world.connect("ben").await;
    becomes(&mut ada, "m1", &[("ada", true), ("ben", true)]).await;
    drop(ben);
    becomes(&mut ada, "m1", &[("ada", true), ("ben", false)]).await;
}

#[tokio::test]
async fn an_emotion_needs_no_levels_and_keeps_what_else_it_has() {
    let world = World::new(&["--app-key", "key"]).await;
    let mut ada = world.connect("ada").await;
    let push = async |emotion: Value| {
        let data = json!({ "message_id": "m1", "emotion": emotion });
        let body = json!({ "type": "emotion_update", "user_id": "ada", "data": data });
        let request = reqwest::Client::new().post(world.url("/api/events")).bearer_auth("key").json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    let pad_values = json!({ "pleasure": 0.1, "arousal": 0.2, "dominance": 0.3 });
    let alone = json!({ "primary_emotion": "joy", "intensity": 0.5, "pad_values": pad_values });
    assert_eq!(push(alone.clone()).await, 200);
    assert_eq!(ada.event("emotion_update").await["emotion"], alone);
    let mut more = alone.clone();
    more["learning_readiness"] = json!("optimal");
    more["cognitive_load"] = json!(0.25);
    more["secondary"] = json!(["curiosity"]);
    assert_eq!(push(more.clone()).await, 200);
    assert_eq!(ada.event("emotion_update").await["emotion"], more);
    for (field, value) in [("learning_readiness", json!(true)), ("pad_values", json!(null)), ("intensity", json!(2))] {
        let mut wrong = alone.clone();
        wrong[field] = value;
        assert_eq!(push(wrong).await, 422, "{field}");
    }
}
