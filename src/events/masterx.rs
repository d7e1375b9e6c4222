//! The catalogue of MasterX, an emotion-aware learning platform.

use serde::{Deserialize, Serialize};

use super::{ExtraFields, events};

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
        /// The session, if the server names it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        session_id: Option<String>,
        /// Whether the member types.
        #[serde(rename = "isTyping")]
        is_typing: bool,
    }
    /// A message in a joined session.
    MessageReceived as "message_received" {
        /// The message.
        message: IncomingMessage,
    }
    /// What is written so far of a message that will come whole, as `message_received` with this id.
    MessageDelta as "message_delta" {
        /// The session.
        session_id: String,
        /// The id that the whole message will have.
        message_id: String,
        /// Whether the writer is still thinking, and nothing is written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        thinking: Option<bool>,
        /// All that is written so far; it holds what earlier ones held.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        text: Option<String>,
    }
    /// Who is in a session, and who of them is there.
    SessionMembers as "session_members" {
        /// The session.
        session_id: String,
        /// The members.
        members: Vec<Member>,
    }
    /// Something changed in a session.
    SessionUpdate as "session_update" {
        /// The session, if the server names it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        session_id: Option<String>,
        /// How hard the questions are now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        difficulty: Option<Level>,
        /// How much of the session is done, from 0 to 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        progress: Option<f64>,
        /// What the tutor says of an answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        feedback: Option<AnswerFeedback>,
        /// Whatever else the server says.
        #[serde(flatten)]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(skip))]
        more: ExtraFields,
    }
    /// Something the user should know.
    Notification as "notification" {
        /// What it is about, in a few words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        title: Option<String>,
        /// The whole text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        text: Option<String>,
        /// How urgent it is: `info`, `success`, `warning`, `error`, or another word of the server's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        level: Option<String>,
        /// Where to read on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        link: Option<String>,
        /// Whatever else the server says.
        #[serde(flatten)]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(skip))]
        more: ExtraFields,
    }
    /// The server could not do what was asked.
    ServerError as "error" {
        /// Why, for people.
        message: String,
        /// Why, for programs, such as `not_joined`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        code: Option<String>,
        /// The type of the message that was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        about: Option<String>,
        /// The session that the refused message has named, if it had no number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        session_id: Option<String>,
        /// The id of the refused message, if it had no number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
        message_id: Option<String>,
    }
}

/// One member of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
pub struct Member {
    /// The user.
    pub user_id: String,
    /// Whether the user is there, on any device.
    pub online: bool,
}

/// What the tutor says of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
pub struct AnswerFeedback {
    /// Whether the answer was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
    pub correct: Option<bool>,
    /// The tutor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
    pub text: Option<String>,
    /// Whatever else the server says.
    #[serde(flatten)]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(skip))]
    pub more: ExtraFields,
}

/// A message on its way to the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
pub struct OutgoingMessage {
    /// The id that the sender gave it.
    pub id: String,
    /// The text.
    pub content: String,
    /// Whatever else the application wants to say.
    #[serde(flatten)]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(skip))]
    pub more: ExtraFields,
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
    /// The session, if the server names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
    pub session_id: Option<String>,
    /// Who wrote it, if the server names the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
    pub user_id: Option<String>,
}

/// An emotion and what it means for learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
pub struct Emotion {
    /// The strongest emotion: one of [`EMOTIONS`], `neutral`, or another word of the server's.
    pub primary_emotion: String,
    /// Its strength, from 0 to 1.
    pub intensity: f64,
    /// The emotion in three dimensions.
    pub pad_values: PadValues,
    /// How ready the learner is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
    pub learning_readiness: Option<Level>,
    /// How loaded the learner is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(optional))]
    pub cognitive_load: Option<Level>,
    /// Whatever else the server says.
    #[serde(flatten)]
    #[cfg_attr(all(test, not(target_arch = "wasm32")), ts(skip))]
    pub more: ExtraFields,
}

/// The names of emotions that MasterX uses. A server may send others.
pub const EMOTIONS: [&str; 27] = [
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
];

/// A measure that back ends give as a number or as a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Level {
    /// A share, from 0 to 1.
    Share(f64),
    /// A name, such as `low`, `moderate`, `optimal` or `high`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_so_far_comes_as_a_thought_or_as_a_text() {
        let thought = r#"{"session_id":"s1","message_id":"m1","thinking":true}"#;
        let delta: MessageDelta = serde_json::from_str(thought).unwrap();
        assert_eq!((delta.thinking, delta.text.as_deref()), (Some(true), None));
        assert_eq!(serde_json::to_string(&delta).unwrap(), thought);
        let text = r#"{"session_id":"s1","message_id":"m1","text":"Let us"}"#;
        let delta: MessageDelta = serde_json::from_str(text).unwrap();
        assert_eq!((delta.thinking, delta.text.as_deref()), (None, Some("Let us")));
    }

    #[test]
    fn an_emotion_needs_no_readiness_takes_names_of_levels_and_keeps_what_is_not_in_the_catalogue() {
        let least =
            r#"{"primary_emotion":"hangry","intensity":0.5,"pad_values":{"pleasure":-1,"arousal":0,"dominance":1}}"#;
        let emotion: Emotion = serde_json::from_str(least).unwrap();
        assert_eq!((emotion.learning_readiness, emotion.cognitive_load), (None, None));
        let most = least.trim_end_matches('}').to_owned()
            + r#"},"learning_readiness":"optimal","cognitive_load":0.25,"valence":2}"#;
        let emotion: Emotion = serde_json::from_str(&most).unwrap();
        assert_eq!(emotion.learning_readiness, Some(Level::Name("optimal".into())));
        assert_eq!(emotion.cognitive_load, Some(Level::Share(0.25)));
        assert_eq!(emotion.more["valence"], crate::events::Json::Number(2.0));
    }
}
