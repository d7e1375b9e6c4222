//! JSON as JavaScript keeps it: the core holds references, and payloads stay where `JSON.parse` has put them.

use std::fmt;
use std::thread_local;

use js_sys::{Array, JSON, JsString, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::member_names::{MemberName, MemberWord};
use crate::proto::wire::{Field, Text, Value, Word};

/// A string of JavaScript.
#[derive(Clone, PartialEq)]
pub(crate) struct WebText(pub(super) JsString);

/// An object that `JSON.parse` has made, or that `JSON.stringify` can write.
#[derive(Clone)]
pub(crate) struct WebValue(Members);

#[wasm_bindgen]
extern "C" {
    /// An object of the protocol.
    #[derive(Clone)]
    type Members;

    #[wasm_bindgen(method, structural, indexing_getter)]
    fn member(this: &Members, name: MemberName) -> JsValue;
    #[wasm_bindgen(method, structural, indexing_getter)]
    fn member_word(this: &Members, name: MemberName) -> MemberWord;
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set_member(this: &Members, name: MemberName, value: &JsValue);
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set_word(this: &Members, name: MemberName, word: MemberWord);
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set_count(this: &Members, name: MemberName, count: f64);
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set_bool(this: &Members, name: MemberName, value: bool);

    type TextEncoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;
    #[wasm_bindgen(method, structural)]
    fn encode(this: &TextEncoder, text: &JsString) -> Uint8Array;
}

thread_local! {
    static ENCODER: TextEncoder = TextEncoder::new();
}

impl WebText {
    /// The characters, in this module's own memory.
    pub(crate) fn to_rust(&self) -> String {
        String::from(&self.0)
    }
}

impl From<&str> for WebText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Text for WebText {
    fn utf8_len(&self) -> usize {
        ENCODER.with(|encoder| encoder.encode(&self.0)).length() as usize
    }

    fn client_stream(client_id: &Self) -> Self {
        Self(JsString::from(CLIENT_STREAM).concat(&client_id.0))
    }

    fn is_client_stream(&self) -> bool {
        self.0.starts_with(CLIENT_STREAM, 0)
    }

    fn with_counts(&self, members: &[(Field, u64)]) -> Self {
        let mut more: String = members.iter().map(|(field, count)| format!(",\"{}\":{count}", field.code())).collect();
        more.push('}');
        Self(self.0.slice(0, self.0.length().saturating_sub(1)).concat(&more.into()))
    }
}

const CLIENT_STREAM: &str = "client:";

impl WebValue {
    /// The value, if it is an object.
    pub(super) fn new(value: JsValue) -> Option<Self> {
        (value.is_object() && !Array::is_array(&value)).then(|| Self(value.unchecked_into()))
    }

    /// The member, whatever it is; `undefined` if it is not there.
    pub(crate) fn get(&self, field: Field) -> JsValue {
        self.0.member(field.into())
    }

    /// The member of a name that the protocol gives no meaning to.
    pub(crate) fn named(&self, name: &str) -> JsValue {
        Reflect::get(self.as_js(), &name.into()).unwrap_or_default()
    }

    /// The object itself.
    pub(crate) fn as_js(&self) -> &JsValue {
        self.0.as_ref()
    }
}

impl Value for WebValue {
    type Text = WebText;

    fn word(&self, field: Field) -> Word {
        self.0.member_word(field.into()).into()
    }

    fn has(&self, field: Field) -> bool {
        !self.get(field).is_undefined()
    }

    fn count(&self, field: Field) -> Option<u64> {
        count(&self.get(field))
    }

    fn text(&self, field: Field) -> Option<WebText> {
        self.get(field).dyn_into().ok().map(WebText)
    }

    fn object(&self, field: Field) -> Option<Self> {
        Self::new(self.get(field))
    }

    fn counts(&self) -> Option<Vec<(WebText, u64)>> {
        let entry = |entry: JsValue| {
            let entry: Array = entry.unchecked_into();
            Some((WebText(entry.get(0).unchecked_into()), count(&entry.get(1))?))
        };
        Object::entries(self.0.unchecked_ref()).iter().map(entry).collect()
    }

    fn empty() -> Self {
        Self(Object::new().unchecked_into())
    }

    fn with_text(self, field: Field, text: &WebText) -> Self {
        self.0.set_member(field.into(), &text.0);
        self
    }

    fn with_word(self, field: Field, word: Word) -> Self {
        self.0.set_word(field.into(), word.into());
        self
    }

    fn with_count(self, field: Field, count: u64) -> Self {
        self.0.set_count(field.into(), count as f64);
        self
    }

    fn with_list_of(self, field: Field, count: u64) -> Self {
        self.0.set_member(field.into(), &Array::of1(&(count as f64).into()));
        self
    }

    fn with_counts(self, field: Field, counts: &[(WebText, u64)]) -> Self {
        // Made of entries, an object can have a member of any name, `__proto__` included.
        let entry = |(name, count): &(WebText, u64)| Array::of2(&name.0, &(*count as f64).into());
        let entries: Array = counts.iter().map(entry).collect();
        let object = Object::from_entries(&entries).unwrap_or_else(|_| Object::new());
        self.0.set_member(field.into(), &object);
        self
    }

    fn with(self, field: Field, value: Self) -> Self {
        self.0.set_member(field.into(), value.as_js());
        self
    }

    fn with_true(self, field: Field) -> Self {
        self.0.set_bool(field.into(), true);
        self
    }

    fn to_text(&self) -> WebText {
        // What consists of the members above, or was parsed, can always be written.
        WebText(JSON::stringify(self.as_js()).unwrap_or_default())
    }
}

/// An integer that every JSON reader can hold: a safe one of JavaScript, and not negative.
fn count(value: &JsValue) -> Option<u64> {
    value
        .as_f64()
        .filter(|count| (0.0..=LARGEST_COUNT).contains(count) && count.fract() == 0.0)
        .map(|count| count as u64)
}

const LARGEST_COUNT: f64 = ((1_u64 << 53) - 1) as f64;

impl fmt::Debug for WebText {
    /// Shows nothing: it may be a token or a payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebText")
    }
}

impl fmt::Debug for WebValue {
    /// Shows nothing: it may be a payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebValue")
    }
}
