//! What the server answers when it does not do what it was asked.

use crate::{
    envelope::{self, Malformed},
    outgoing::Outgoing,
};
use serde_json::{Value, json};

/// A request that was understood and refused, or not understood. Becomes an `error` event; the connection stays up.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
}

impl Refusal {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The `error` event. `about` is the type of the message that was refused, where it is known.
    pub fn to_event(&self, about: Option<&str>) -> Outgoing {
        envelope::event("error", &self.data(about))
    }

    /// The payload of the event.
    pub fn data(&self, about: Option<&str>) -> Value {
        let mut data = json!({ "message": self.message, "code": self.code });
        if let Some(about) = about {
            data["about"] = about.into();
        }
        data
    }
}

pub const RATE_LIMITED: &str = "Rate limit exceeded";
pub const TOO_LARGE: &str = "Message too large";

/// A handler has failed: our bug or the storage's opinion of the content. What exactly is for the log.
pub fn internal() -> Refusal {
    Refusal::new("internal", "internal error; the message was not processed")
}

/// A message beyond the limit.
pub fn too_large() -> Refusal {
    Refusal::new("too_large", TOO_LARGE)
}

impl From<Malformed> for Refusal {
    fn from(Malformed(reason): Malformed) -> Self {
        Self::new("malformed", reason)
    }
}
