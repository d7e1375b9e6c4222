//! A place that users join, as they share it.

use std::{fmt, sync::Arc};

/// Where events go that are for several users: a session, a match, a document. The name says which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Room(Arc<str>);

impl Room {
    /// The room of this name. One with more than 512 bytes cannot be joined.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Whether the name is longer than one that can be joined: PostgreSQL finds rows by it.
    pub(crate) fn is_too_long(&self) -> bool {
        self.0.len() > MAX_NAME_BYTES
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const MAX_NAME_BYTES: usize = 512;
/// What is said of a name that is longer.
pub(crate) const NAME_TOO_LONG: &str = "the name of a session has at most 512 bytes";

impl fmt::Display for Room {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<&str> for Room {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}
