//! `serde_json` as the platform, with bytes as binary frames.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde_json::Value as JsonValue;

use super::platform::{First, Json, Member, PacketText, PacketValue, RESERVED_EVENTS};
use crate::proto::wire::json::count;

impl PacketText for String {
    fn length(&self) -> usize {
        self.len()
    }

    fn unit_at(&self, index: usize) -> Option<u8> {
        self.as_bytes().get(index).map(|byte| (*byte).min(0x80))
    }

    fn slice(&self, from: usize, to: usize) -> Self {
        self.get(from..to).unwrap_or_default().to_owned()
    }

    fn from_ascii(text: &str) -> Self {
        text.to_owned()
    }

    fn followed_by(&self, other: &Self) -> Self {
        [self.as_str(), other.as_str()].concat()
    }
}

impl PacketValue for JsonValue {
    type Binary = Vec<u8>;

    fn byte_length(binary: &Vec<u8>) -> u64 {
        binary.len() as u64
    }

    fn parse_from(text: &String, from: usize) -> Option<(Json, Self)> {
        let value = serde_json::from_str(text.get(from..)?).ok()?;
        let json = match &value {
            Self::Array(elements) => Json::Array(match elements.first() {
                Some(Self::String(name)) if RESERVED_EVENTS.contains(&name.as_str()) => First::Reserved,
                Some(Self::String(_) | Self::Number(_)) => First::Name,
                _ => First::Other,
            }),
            Self::Object(_) => Json::Object,
            Self::String(_) => Json::Text,
            Self::Number(_) | Self::Null | Self::Bool(_) => Json::Other,
        };
        Some((json, value))
    }

    fn as_text(&self) -> Option<String> {
        self.as_str().map(ToOwned::to_owned)
    }

    fn last_text(&self) -> Option<String> {
        self.as_array()?.last()?.as_text()
    }

    fn member_text(&self, member: Member) -> Option<String> {
        self.get(member.code())?.as_str().map(ToOwned::to_owned)
    }

    fn member_count(&self, member: Member) -> Option<u64> {
        self.get(member.code()).and_then(count)
    }

    fn has_member(&self, member: Member) -> bool {
        self.get(member.code()).is_some()
    }

    fn has_only_placeholders_below(&self, attachments: u32) -> bool {
        let mut remaining = vec![self];
        while let Some(value) = remaining.pop() {
            match value {
                Self::Array(elements) => remaining.extend(elements),
                Self::Object(members) if members.get("_placeholder") == Some(&Self::Bool(true)) => {
                    if members.get("num").and_then(count).is_none_or(|number| number >= u64::from(attachments)) {
                        return false;
                    }
                }
                Self::Object(members) => remaining.extend(members.values()),
                Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {}
            }
        }
        true
    }
}
