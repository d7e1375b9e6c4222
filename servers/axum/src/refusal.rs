//! What the server answers when it does not do what it was asked.

use serde_json::{Value, json};

use crate::{database::DatabaseError, envelope::Malformed, store::StoreError};

/// A request that was understood and refused, or not understood. Becomes an `error` event; the connection stays up.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
}

impl Refusal {
    /// A refusal with this code and these words.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The payload of the `error` event. `about` is the type of the message that was refused, where it is known.
    #[must_use]
    pub fn data(&self, about: Option<&str>) -> Value {
        let mut data = json!({ "message": self.message, "code": self.code });
        if let Some(about) = about {
            data["about"] = about.into();
        }
        data
    }
}

/// The words of `rate_limited`.
pub const RATE_LIMITED: &str = "Rate limit exceeded";
/// The words of `too_large`.
pub const TOO_LARGE: &str = "Message too large";

/// A handler has failed: our bug or the storage's opinion of the content. What exactly is for the log.
#[must_use]
pub fn internal() -> Refusal {
    Refusal::new("internal", "internal error; the message was not processed")
}

/// A message that nobody handles.
#[must_use]
pub fn unknown_type(kind: &str) -> Refusal {
    Refusal::new("unknown_type", format!("unknown type `{kind}`"))
}

/// A message beyond the limit.
#[must_use]
pub fn too_large() -> Refusal {
    Refusal::new("too_large", TOO_LARGE)
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request could not be stored");
        Self::new("internal", "could not be stored")
    }
}

impl From<Malformed> for Refusal {
    fn from(Malformed(reason): Malformed) -> Self {
        Self::new("malformed", reason)
    }
}

/// What a handler fails with.
#[derive(Debug)]
pub enum Refuse {
    /// The message is answered with `error`, and counts as processed: it never comes again. All that its handler did in the
    /// transaction is undone.
    With(Refusal),
    /// A statement has failed. Content that the database does not take is refused as `internal`; where the database itself has failed, nothing
    /// is acknowledged, and clients send again.
    Database(DatabaseError),
}

impl Refuse {
    /// Refuses a message with this code, and with words made of it.
    #[must_use]
    pub fn new(code: &'static str) -> Self {
        Self::With(Refusal::new(code, code.replace('_', " ")))
    }

    /// The same with other words, for people.
    pub fn saying(code: &'static str, message: impl Into<String>) -> Self {
        Self::With(Refusal::new(code, message))
    }
}

impl From<Refusal> for Refuse {
    fn from(refusal: Refusal) -> Self {
        Self::With(refusal)
    }
}

impl From<DatabaseError> for Refuse {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<rusqlite::Error> for Refuse {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}
