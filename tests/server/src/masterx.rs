//! The MasterX events: sessions, typing, chat messages.

use everwire_axum::{Action, Connection, Envelope, Hub, Malformed, Refusal, clock, envelope, payload};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{app::App, rooms};

#[derive(Deserialize)]
struct Session {
    session_id: String,
}

#[derive(Deserialize)]
struct Typing {
    session_id: String,
    #[serde(rename = "isTyping")]
    is_typing: bool,
}

#[derive(Deserialize)]
struct MessageSent {
    session_id: String,
    message: ChatMessage,
}

#[derive(Deserialize)]
struct ChatMessage {
    id: String,
    content: String,
}

/// `join_session`
pub fn join(hub: &Hub, from: &Connection, request: Envelope) -> Result<Action, Refusal> {
    let Session { session_id } = payload(&request.data)?;
    check_session_id(&session_id)?;
    let room = rooms::session(&session_id);
    hub.join(from, room.clone())?;
    Ok(Action::Join { room, answer: None })
}

/// `leave_session`. Leaving twice is the same as leaving once.
pub fn leave(hub: &Hub, from: &Connection, request: Envelope) -> Result<Action, Refusal> {
    let Session { session_id } = payload(&request.data)?;
    let room = rooms::session(&session_id);
    hub.leave(from, &room);
    Ok(Action::Leave { room })
}

/// `user_typing`
pub fn typing(hub: &Hub, from: &Connection, request: Envelope) -> Result<Action, Refusal> {
    let Typing { session_id, is_typing } = payload(&request.data)?;
    let room = rooms::session(&session_id);
    if !hub.is_member(&from.user, &room) {
        return Err(not_joined());
    }
    let data = json!({ "user_id": &*from.user, "session_id": session_id, "isTyping": is_typing });
    hub.tell_room(&room, Some(from.id), "typing_indicator", &envelope::event("typing_indicator", &data));
    Ok(Action::Done)
}

/// `message_sent`
pub fn message(app: &App, from: &Connection, request: Envelope) -> Result<Action, Refusal> {
    let MessageSent { session_id, message } = payload(&request.data)?;
    let room = rooms::session(&session_id);
    let data = json!({
        "message": {
            "id": message.id,
            "content": message.content,
            "role": "user",
            "timestamp": clock::iso(),
            "user_id": &*from.user,
            "session_id": session_id,
        }
    });
    let action = Action::Publish { room: room.clone(), kind: "message_received", data };
    Ok(action.of_member(&app.hub, from, &room, not_joined()))
}

/// An `emotion` that a model could have produced; `seed` varies it smoothly.
pub fn sample_emotion(seed: u64) -> Value {
    const EMOTIONS: [&str; 6] = ["curiosity", "joy", "confusion", "frustration", "confidence", "flow"];
    let wave = |period: f64| ((seed as f64 / period).sin() + 1.0) / 2.0;
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    json!({
        "primary_emotion": EMOTIONS[seed as usize % EMOTIONS.len()],
        "intensity": rounded(0.35 + 0.6 * wave(3.0)),
        "pad_values": {
            "pleasure": rounded(2.0 * wave(5.0) - 1.0),
            "arousal": rounded(2.0 * wave(7.0) - 1.0),
            "dominance": rounded(2.0 * wave(11.0) - 1.0),
        },
        "learning_readiness": rounded(1.0 - wave(4.0) / 2.0),
        "cognitive_load": rounded(wave(4.0)),
    })
}

/// The payload of `emotion_update`.
pub fn emotion_update(emotion: Value, message_id: Option<String>, seed: u64) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("message_id".into(), message_id.unwrap_or_else(|| format!("sample-{seed}")).into());
    data.insert("emotion".into(), emotion);
    data
}

/// Whether an event that the application pushes is what the catalogue says. Types that are not in it may hold anything.
pub fn check_pushed(kind: &str, data: &Map<String, Value>) -> Result<(), String> {
    let data = || data.clone();
    let checked = match kind {
        "" => Err(Malformed("`type` must not be empty".into())),
        "emotion_update" => pushed::<EmotionUpdate>(data()).and_then(|update| update.emotion.check()),
        "typing_indicator" => pushed::<TypingIndicator>(data()).map(drop),
        "message_received" => pushed::<MessageReceived>(data()).map(drop),
        "session_members" => pushed::<SessionMembers>(data()).map(drop),
        "error" => pushed::<ServerError>(data()).map(drop),
        _ => Ok(()),
    };
    checked.map_err(|Malformed(reason)| format!("`data` of `{kind}`: {reason}"))
}

fn pushed<T: for<'de> Deserialize<'de>>(data: Map<String, Value>) -> Result<T, Malformed> {
    serde_json::from_value(Value::Object(data)).map_err(|error| Malformed(error.to_string()))
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct EmotionUpdate {
    message_id: String,
    emotion: Emotion,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct Emotion {
    primary_emotion: String,
    intensity: f64,
    pad_values: PadValues,
    learning_readiness: Option<Level>,
    cognitive_load: Option<Level>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct PadValues {
    pleasure: f64,
    arousal: f64,
    dominance: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the shape counts")]
enum Level {
    Share(f64),
    Name(String),
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct TypingIndicator {
    user_id: String,
    session_id: Option<String>,
    #[serde(rename = "isTyping")]
    is_typing: bool,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct MessageReceived {
    message: ReceivedMessage,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct ReceivedMessage {
    id: String,
    content: String,
    role: String,
    timestamp: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct SessionMembers {
    session_id: String,
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct Member {
    user_id: String,
    online: bool,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only the shape counts")]
struct ServerError {
    message: String,
}

impl Emotion {
    fn check(&self) -> Result<(), Malformed> {
        if (0.0..=1.0).contains(&self.intensity) {
            Ok(())
        } else {
            Err(Malformed("`intensity` must be from 0 to 1".into()))
        }
    }
}

fn not_joined() -> Refusal {
    Refusal::new("not_joined", "join the session first")
}

fn check_session_id(session: &str) -> Result<(), Refusal> {
    if session.is_empty() || session.len() > MAX_SESSION_ID_BYTES {
        let message = format!("`session_id` must have 1 to {MAX_SESSION_ID_BYTES} bytes");
        return Err(Refusal::new("malformed", message));
    }
    Ok(())
}

const MAX_SESSION_ID_BYTES: usize = 128;
