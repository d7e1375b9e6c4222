//! The catalogue of MasterX, an emotion-aware learning platform.

use serde::{Deserialize, Serialize};

use super::{Open, events};

events! {
    /// Enters a session; the client enters it again after every reconnect.
    JoinSession as "join_session" {
        /// The session.
        session_id: String,
    }
    /// Leaves a session.
    LeaveSession as "leave_session" {
        /// The session.
        session_id: String,
    }
    /// Says that the user types, or has stopped. Sent at once or not at all.
    UserTyping as "user_typing" {
        /// The session.
        session_id: String,
        /// Whether the user types.
        #[serde(rename = "isTyping")]
        is_typing: bool,
    }
    /// A message to the other members of a session.
    MessageSent as "message_sent" {
        /// The session.
        session_id: String,
        /// The message.
        message: OutgoingMessage,
    }
    /// Asks for a sign of life.
    Ping as "ping" {}
    /// The sign of life.
    Pong as "pong" {
        /// When the server answered, in ISO 8601.
        timestamp: String,
    }
    /// What the server makes of the emotion in a message.
    EmotionUpdate as "emotion_update" {
        /// The message.
        message_id: String,
        /// The emotion.
        emotion: Emotion,
    }
    /// Another member types, or has stopped.
    TypingIndicator as "typing_indicator" {
        /// The member.
        user_id: String,
        /// Whether the member types.
        #[serde(rename = "isTyping")]
        is_typing: bool,
    }
    /// A message in a joined session.
    MessageReceived as "message_received" {
        /// The message.
        message: IncomingMessage,
    }
    /// Something changed in a session.
    #[serde(transparent)]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(type = "Record<string, unknown>"))]
    SessionUpdate as "session_update" {
        /// Whatever the server sends.
        fields: Open,
    }
    /// Something the user should know.
    #[serde(transparent)]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(type = "Record<string, unknown>"))]
    Notification as "notification" {
        /// Whatever the server sends.
        fields: Open,
    }
    /// The server could not do what was asked.
    ServerError as "error" {
        /// Why, for people.
        message: String,
    }
}

/// A message on its way to the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
#[cfg_attr(
    all(test, not(target_arch = "wasm32")),
    ts(type = "{ id: string, content: string, [field: string]: unknown }")
)]
pub struct OutgoingMessage {
    /// The id that the sender gave it.
    pub id: String,
    /// The text.
    pub content: String,
    /// Whatever else the application wants to say.
    #[serde(flatten)]
    pub more: Open,
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
pub struct IncomingMessage {
    /// The id that the sender gave it.
    pub id: String,
    /// The text.
    pub content: String,
    /// Who speaks, such as `user` or `assistant`.
    pub role: String,
    /// When, in ISO 8601.
    pub timestamp: String,
}

/// An emotion and what it means for learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
pub struct Emotion {
    /// The strongest emotion.
    pub primary_emotion: String,
    /// Its strength, from 0 to 1.
    pub intensity: f64,
    /// The emotion in three dimensions.
    pub pad_values: PadValues,
    /// How ready the learner is.
    pub learning_readiness: Level,
    /// How loaded the learner is.
    pub cognitive_load: Level,
}

/// A measure that back ends give as a number or as a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Level {
    /// A share, from 0 to 1.
    Share(f64),
    /// A name, such as `high`.
    Name(String),
}

/// Pleasure, arousal and dominance, the axes of the PAD model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
pub struct PadValues {
    /// How pleasant.
    pub pleasure: f64,
    /// How intense.
    pub arousal: f64,
    /// How much in control.
    pub dominance: f64,
}
