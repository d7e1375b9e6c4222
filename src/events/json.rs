//! The parts of payloads that the catalogues leave open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Any JSON value, for the parts of payloads that the catalogues leave open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
}

/// The fields that a payload has beyond the named ones.
pub type ExtraFields = BTreeMap<String, Json>;
