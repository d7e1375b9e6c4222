//! `serde_json` as the platform: native clients, simulation, fuzzing and tests.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt::Write;

use serde_json::{Map, Value as Json};

use super::value::{Field, Text, Value, Word};

/// The envelope in the text of a frame: a JSON object with a string `type`.
pub fn parse(text: &str) -> Option<Json> {
    let envelope: Json = serde_json::from_str(text).ok()?;
    envelope.get(Field::Type.code())?.is_string().then_some(envelope)
}

impl Text for String {
    fn utf8_len(&self) -> usize {
        self.len()
    }

    fn client_stream(client_id: &Self) -> Self {
        format!("{CLIENT_STREAM}{client_id}")
    }

    fn is_client_stream(&self) -> bool {
        self.starts_with(CLIENT_STREAM)
    }

    fn with_counts(&self, members: &[(Field, u64)]) -> Self {
        let mut text = self.strip_suffix('}').unwrap_or(self).to_string();
        for (field, count) in members {
            // Writing to a string cannot fail.
            _ = write!(text, ",\"{}\":{count}", field.code());
        }
        text.push('}');
        text
    }
}

const CLIENT_STREAM: &str = "client:";

impl Value for Json {
    type Text = String;

    fn word(&self, field: Field) -> Word {
        let text = self.get(field.code()).and_then(Self::as_str);
        Word::ALL.iter().copied().find(|word| text == Some(word.code())).unwrap_or(Word::Other)
    }

    fn has(&self, field: Field) -> bool {
        self.get(field.code()).is_some()
    }

    fn count(&self, field: Field) -> Option<u64> {
        self.get(field.code()).and_then(count)
    }

    fn text(&self, field: Field) -> Option<String> {
        self.get(field.code())?.as_str().map(ToString::to_string)
    }

    fn object(&self, field: Field) -> Option<Self> {
        self.get(field.code()).filter(|value| value.is_object()).cloned()
    }

    fn counts(&self) -> Option<Vec<(String, u64)>> {
        self.as_object()?.iter().map(|(name, value)| Some((name.clone(), count(value)?))).collect()
    }

    fn empty() -> Self {
        Self::Object(Map::new())
    }

    fn with_text(self, field: Field, text: &String) -> Self {
        self.with(field, Self::String(text.clone()))
    }

    fn with_word(self, field: Field, word: Word) -> Self {
        self.with(field, Self::String(word.code().to_string()))
    }

    fn with_count(self, field: Field, count: u64) -> Self {
        self.with(field, count.into())
    }

    fn with_list_of(self, field: Field, count: u64) -> Self {
        self.with(field, Self::Array(vec![count.into()]))
    }

    fn with_counts(self, field: Field, counts: &[(String, u64)]) -> Self {
        self.with(field, counts.iter().map(|(name, count)| (name.clone(), Self::from(*count))).collect())
    }

    fn with(mut self, field: Field, value: Self) -> Self {
        if let Some(members) = self.as_object_mut() {
            members.insert(field.code().to_string(), value);
        }
        self
    }

    fn with_true(self, field: Field) -> Self {
        self.with(field, Self::Bool(true))
    }

    fn to_text(&self) -> String {
        // Quicker than `to_string`, and a value can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// An integer that every JSON reader can hold. Written as `1.0` it is one for JavaScript, and so here.
pub(super) fn count(value: &Json) -> Option<u64> {
    let float = || value.as_f64().filter(|float| *float >= 0.0 && *float % 1.0 == 0.0).map(|float| float as u64);
    value.as_u64().or_else(float).filter(|count| *count <= LARGEST_COUNT)
}

const LARGEST_COUNT: u64 = (1 << 53) - 1;
