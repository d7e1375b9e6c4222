//! `hello`, as it has to be.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::sequence::number;
use crate::refusal::Refusal;

/// What a client says about itself.
#[derive(Debug, PartialEq)]
pub struct Hello {
    pub client_id: String,
    /// How far it has each stream.
    pub positions: HashMap<String, u64>,
}

/// Why there is no welcome.
#[derive(Debug, PartialEq)]
pub enum HelloError {
    Malformed(String),
    /// It speaks no version that this server does.
    UnsupportedVersion,
}

impl Hello {
    /// Reads the payload.
    pub fn read(data: &Map<String, Value>) -> Result<Self, HelloError> {
        let malformed = |reason: &str| Err(HelloError::Malformed(reason.to_owned()));
        let Some(versions) = data.get("versions").and_then(Value::as_array) else {
            return malformed("`versions` must be an array");
        };
        if !versions.iter().all(|version| number(version).is_some()) {
            return malformed("`versions` must be integers");
        }
        let client_id = match data.get("client_id") {
            Some(Value::String(id)) if is_client_id(id) => id.clone(),
            _ => return malformed("`client_id` must be 16 to 64 of A-Z a-z 0-9 _ -"),
        };
        let positions = match data.get("streams") {
            None => HashMap::new(),
            Some(Value::Object(streams)) if streams.len() <= MAX_STREAMS => {
                let positions = streams.iter().map(|(name, position)| {
                    let position = number(position).filter(|_| (1..=MAX_NAME_BYTES).contains(&name.len()));
                    Some((name.clone(), position?))
                });
                match positions.collect() {
                    Some(positions) => positions,
                    None => return malformed("`streams` must map names of 1 to 128 bytes to positions"),
                }
            }
            Some(_) => return malformed("`streams` must be an object of 256 positions at most"),
        };
        // Last, so that a hello that makes no sense in any version is not mistaken for a newer one.
        if !versions.iter().any(|version| number(version) == Some(VERSION)) {
            return Err(HelloError::UnsupportedVersion);
        }
        Ok(Self { client_id, positions })
    }
}

impl HelloError {
    /// One word for metrics and programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::UnsupportedVersion => "unsupported_version",
        }
    }
}

impl From<HelloError> for Refusal {
    fn from(error: HelloError) -> Self {
        let code = error.code();
        match error {
            HelloError::Malformed(reason) => Self::new(code, reason),
            HelloError::UnsupportedVersion => Self::new(code, format!("this server speaks version {VERSION} only")),
        }
    }
}

fn is_client_id(id: &str) -> bool {
    (16..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The version of the reliable mode that is spoken here.
pub const VERSION: u64 = 1;

/// How many streams a connection can carry.
pub const MAX_STREAMS: usize = 256;
const MAX_NAME_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(data: Value) -> Result<Hello, HelloError> {
        let Value::Object(data) = data else { panic!() };
        Hello::read(&data)
    }

    const ID: &str = "k3Zq8vXw2LmN4pRt";

    #[test]
    fn reads_a_hello() {
        let hello = read(json!({ "versions": [1, 2], "client_id": ID, "streams": { "user": 7 }, "more": 1 })).unwrap();
        assert_eq!(hello, Hello { client_id: ID.into(), positions: HashMap::from([("user".into(), 7)]) });
        assert!(read(json!({ "versions": [1], "client_id": ID })).unwrap().positions.is_empty());
    }

    #[test]
    fn versions_that_are_not_spoken_are_told_from_what_makes_no_sense() {
        for versions in [json!([]), json!([2]), json!([0, 3])] {
            assert_eq!(read(json!({ "versions": versions, "client_id": ID })), Err(HelloError::UnsupportedVersion));
        }
        for versions in [json!(null), json!(1), json!(["1"]), json!([1.5]), json!([-1]), json!([1u64 << 60])] {
            let read = read(json!({ "versions": versions, "client_id": ID }));
            assert!(matches!(read, Err(HelloError::Malformed(_))), "{versions}");
        }
    }
}
