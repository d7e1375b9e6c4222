//! A session or a match, as its members share it.

use std::{fmt, sync::Arc};

/// Where events go: a session of MasterX or a match of CoLabMatch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Room {
    Session(Arc<str>),
    Match(Arc<str>),
}

impl fmt::Display for Room {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(formatter, "session:{id}"),
            Self::Match(id) => write!(formatter, "match:{id}"),
        }
    }
}

impl Room {
    pub fn session(id: &str) -> Self {
        Self::Session(id.into())
    }

    pub fn of_match(id: &str) -> Self {
        Self::Match(id.into())
    }
}
