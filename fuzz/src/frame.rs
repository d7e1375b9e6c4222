//! The text of a frame as the typed events of the Rust face.

use std::fmt::Debug;

use everwire::events::{Json, WireEvent, colabmatch, masterx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::broken::with_lone_surrogates;

/// Decodes a frame as every event that bears its name, and again with ill-formed strings; panics when something does not hold.
pub fn decode(text: &str) {
    decode_one(text);
    with_lone_surrogates(text).iter().for_each(|broken| decode_one(broken));
}

fn decode_one(text: &str) {
    let Ok(Value::Object(mut envelope)) = serde_json::from_str(text) else { return };
    let Some(Value::String(name)) = envelope.remove("type") else { return };
    let data = envelope.remove("data").unwrap_or_else(|| Value::Object(Default::default()));
    for (known, survives) in EVENTS {
        if *known == name {
            survives(&data);
        }
    }
    survives_a_round_trip::<Json>(&data);
}

/// What was decoded is written as it was meant: it decodes to the same again.
fn survives_a_round_trip<E: Serialize + DeserializeOwned + PartialEq + Debug>(data: &Value) {
    let Ok(event) = E::deserialize(data) else { return };
    let written = serde_json::to_string(&event).unwrap_or_else(|error| panic!("{event:?} cannot be written: {error}"));
    match serde_json::from_str::<E>(&written) {
        Ok(again) => assert_eq!(again, event, "written as {written}"),
        Err(error) => panic!("{event:?} is written as {written}, which cannot be read: {error}"),
    }
}

macro_rules! events {
    ($($catalogue:ident { $($event:ident)* })*) => {
        &[$($(($catalogue::$event::TYPE, survives_a_round_trip::<$catalogue::$event>)),*),*]
    };
}

type Check = fn(&Value);

const EVENTS: &[(&str, Check)] = events! {
    masterx {
        JoinSession LeaveSession UserTyping MessageSent Ping Pong EmotionUpdate TypingIndicator MessageReceived MessageDelta
        SessionMembers SessionUpdate Notification ServerError
    }
    colabmatch {
        JoinMatch SendMessage Typing ReadMessage Connected NewMessage UserTyping TypingStopped UserOnlineStatus MessageRead
        SessionMembers SessionUpdate ServerError
    }
};
