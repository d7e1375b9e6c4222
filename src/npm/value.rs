//! JSON values of JavaScript, which stay there: the core holds references, and reads a member by a call.

use alloc::vec::Vec;
use core::fmt;

use wasm_bindgen::prelude::*;

use super::codes::{FieldName, WordName};
use crate::proto::wire::{Field, Text, Value, Word};

/// `json` of `pkg/src/host/json.ts`.
#[wasm_bindgen(raw_module = "../src/host/json.ts")]
extern "C" {
    /// A string of JavaScript.
    #[derive(Clone, PartialEq)]
    pub type JsonText;
    /// A value that `JSON.parse` has made, or that `JSON.stringify` takes.
    #[derive(Clone)]
    pub type JsonValue;
    /// The names of an object's members.
    type Names;

    /// Any other string, and whatever is no string, is none of the words.
    #[wasm_bindgen(js_namespace = json, js_name = member)]
    fn word(value: &JsonValue, field: FieldName) -> WordName;
    #[wasm_bindgen(js_namespace = json)]
    fn has(value: &JsonValue, field: FieldName) -> bool;
    /// NaN stands for `undefined`: no integer.
    #[wasm_bindgen(js_namespace = json)]
    fn count(value: &JsonValue, field: FieldName) -> f64;
    // In two calls, because the glue is slow with a reference that may be none.
    #[wasm_bindgen(js_namespace = json, js_name = isText)]
    fn is_text(value: &JsonValue, field: FieldName) -> bool;
    #[wasm_bindgen(js_namespace = json, js_name = member)]
    fn text(value: &JsonValue, field: FieldName) -> JsonText;
    #[wasm_bindgen(js_namespace = json, js_name = isObject)]
    fn is_object(value: &JsonValue, field: FieldName) -> bool;
    #[wasm_bindgen(js_namespace = json, js_name = member)]
    fn object(value: &JsonValue, field: FieldName) -> JsonValue;
    #[wasm_bindgen(js_namespace = json)]
    fn names(value: &JsonValue) -> Names;
    #[wasm_bindgen(js_namespace = json, js_name = count)]
    fn count_of(value: &JsonValue, name: &JsonText) -> f64;
    #[wasm_bindgen(method, getter)]
    fn length(this: &Names) -> u32;
    #[wasm_bindgen(method, indexing_getter)]
    fn get(this: &Names, index: u32) -> JsonText;

    #[wasm_bindgen(js_namespace = json)]
    fn empty() -> JsonValue;
    #[wasm_bindgen(js_namespace = json, js_name = set)]
    fn set_text(object: &JsonValue, field: FieldName, text: &JsonText);
    #[wasm_bindgen(js_namespace = json, js_name = set)]
    fn set_word(object: &JsonValue, field: FieldName, word: WordName);
    #[wasm_bindgen(js_namespace = json, js_name = set)]
    fn set_count(object: &JsonValue, field: FieldName, count: f64);
    #[wasm_bindgen(js_namespace = json, js_name = set)]
    fn set_value(object: &JsonValue, field: FieldName, value: &JsonValue);
    #[wasm_bindgen(js_namespace = json, js_name = set)]
    fn set_true(object: &JsonValue, field: FieldName, value: bool);
    #[wasm_bindgen(js_namespace = json, js_name = set)]
    fn set_count_of(object: &JsonValue, name: &JsonText, count: f64);
    #[wasm_bindgen(js_namespace = json, js_name = setList)]
    fn set_list_of(object: &JsonValue, field: FieldName, count: f64);
    #[wasm_bindgen(js_namespace = json, js_name = toText)]
    fn to_text(value: &JsonValue) -> JsonText;

    #[wasm_bindgen(js_namespace = json, js_name = byteLength)]
    fn utf8_len(text: &JsonText) -> u32;
    #[wasm_bindgen(js_namespace = json, js_name = clientStream)]
    fn client_stream(client_id: &JsonText) -> JsonText;
    #[wasm_bindgen(js_namespace = json, js_name = isClientStream)]
    fn is_client_stream(text: &JsonText) -> bool;
    #[wasm_bindgen(js_namespace = json)]
    fn append(text: &JsonText, field: FieldName, count: f64) -> JsonText;
}

impl Text for JsonText {
    fn utf8_len(&self) -> usize {
        utf8_len(self) as usize
    }

    fn client_stream(client_id: &Self) -> Self {
        client_stream(client_id)
    }

    fn is_client_stream(&self) -> bool {
        is_client_stream(self)
    }

    fn with_counts(&self, members: &[(Field, u64)]) -> Self {
        let mut text = self.clone();
        for (field, count) in members {
            text = append(&text, (*field).into(), *count as f64);
        }
        text
    }
}

impl Value for JsonValue {
    type Text = JsonText;

    fn word(&self, field: Field) -> Word {
        word(self, field.into()).into()
    }

    fn has(&self, field: Field) -> bool {
        has(self, field.into())
    }

    fn count(&self, field: Field) -> Option<u64> {
        unless_nan(count(self, field.into()))
    }

    fn text(&self, field: Field) -> Option<JsonText> {
        is_text(self, field.into()).then(|| text(self, field.into()))
    }

    fn object(&self, field: Field) -> Option<Self> {
        is_object(self, field.into()).then(|| object(self, field.into()))
    }

    fn counts(&self) -> Option<Vec<(JsonText, u64)>> {
        let names = names(self);
        let mut counts = Vec::new();
        for index in 0..names.length() {
            let name = names.get(index);
            let count = unless_nan(count_of(self, &name))?;
            counts.push((name, count));
        }
        Some(counts)
    }

    fn empty() -> Self {
        empty()
    }

    fn with_text(self, field: Field, text: &JsonText) -> Self {
        set_text(&self, field.into(), text);
        self
    }

    fn with_word(self, field: Field, word: Word) -> Self {
        set_word(&self, field.into(), WordName::of(word));
        self
    }

    fn with_count(self, field: Field, count: u64) -> Self {
        set_count(&self, field.into(), count as f64);
        self
    }

    fn with_list_of(self, field: Field, count: u64) -> Self {
        set_list_of(&self, field.into(), count as f64);
        self
    }

    fn with_counts(self, field: Field, counts: &[(JsonText, u64)]) -> Self {
        let object = empty();
        for (name, count) in counts {
            set_count_of(&object, name, *count as f64);
        }
        self.with(field, object)
    }

    fn with(self, field: Field, value: Self) -> Self {
        set_value(&self, field.into(), &value);
        self
    }

    fn with_true(self, field: Field) -> Self {
        set_true(&self, field.into(), true);
        self
    }

    fn to_text(&self) -> JsonText {
        to_text(self)
    }
}

/// A number that JavaScript may leave out as `NaN`; infinity becomes the largest number, which means "for ever".
pub(super) fn unless_nan(number: f64) -> Option<u64> {
    (!number.is_nan()).then_some(number as u64)
}

impl fmt::Debug for JsonText {
    /// Shows nothing: it may be a token or a payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonText")
    }
}

impl fmt::Debug for JsonValue {
    /// Shows nothing: it may be a payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonValue")
    }
}
