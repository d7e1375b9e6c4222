//! Packets of Socket.IO cut from strings of JavaScript, and read from what `JSON.parse` has made.

use core::fmt;

use wasm_bindgen::prelude::*;

use super::codes::{KindName, MemberName};
use crate::npm::value::{JsonText, JsonValue, unless_nan};
use crate::proto::wire::socketio::{Json, Member, PacketText, PacketValue};

#[wasm_bindgen]
extern "C" {
    /// A string, where its methods are needed.
    type JsString;

    #[wasm_bindgen(method, getter)]
    fn length(this: &JsString) -> u32;
    /// NaN behind the end.
    #[wasm_bindgen(method, js_name = charCodeAt)]
    fn char_code_at(this: &JsString, index: u32) -> f64;
    #[wasm_bindgen(method)]
    fn slice(this: &JsString, from: u32, to: u32) -> JsonText;
    #[wasm_bindgen(method)]
    fn concat(this: &JsString, other: &JsonText) -> JsonText;
    #[wasm_bindgen(js_namespace = String, js_name = fromCharCode)]
    fn from_char_code(code: u32) -> JsonText;
}

/// `packets` of `p../src/host/socketio/packets.ts`.
#[wasm_bindgen(raw_module = "../src/host/socketio/packets.ts")]
extern "C" {
    /// An `ArrayBuffer`.
    #[derive(Clone)]
    pub type JsBinary;

    #[wasm_bindgen(method, getter, js_name = byteLength)]
    fn byte_length(this: &JsBinary) -> f64;

    /// `undefined` for what is no JSON.
    #[wasm_bindgen(js_namespace = packets)]
    fn parse(text: &JsonText, from: u32) -> JsonValue;
    #[wasm_bindgen(js_namespace = packets)]
    fn kind(value: &JsonValue) -> KindName;
    #[wasm_bindgen(js_namespace = packets, js_name = lastText)]
    fn last_text(array: &JsonValue) -> Option<JsonText>;
    #[wasm_bindgen(js_namespace = packets, js_name = asText)]
    fn as_text(value: &JsonValue) -> Option<JsonText>;
    #[wasm_bindgen(js_namespace = packets, js_name = textOf)]
    fn text_of(object: &JsonValue, member: MemberName) -> Option<JsonText>;
    /// NaN stands for `undefined`: no integer.
    #[wasm_bindgen(js_namespace = packets, js_name = countOf)]
    fn count_of(object: &JsonValue, member: MemberName) -> f64;
    #[wasm_bindgen(js_namespace = packets)]
    fn has(object: &JsonValue, member: MemberName) -> bool;
    #[wasm_bindgen(js_namespace = packets, js_name = hasOnlyPlaceholdersBelow)]
    fn has_only_placeholders_below(array: &JsonValue, attachments: u32) -> bool;
}

impl PacketText for JsonText {
    fn length(&self) -> usize {
        string(self).length() as usize
    }

    fn unit_at(&self, index: usize) -> Option<u8> {
        unless_nan(string(self).char_code_at(index as u32)).map(|unit| unit.min(0x80) as u8)
    }

    fn slice(&self, from: usize, to: usize) -> Self {
        string(self).slice(from as u32, to as u32)
    }

    // Character by character, because what decodes whole strings from the module's memory would be a large part of its glue.
    fn from_ascii(text: &str) -> Self {
        let mut bytes = text.bytes();
        let first =
            bytes.next().map_or_else(|| string(&from_char_code(0)).slice(0, 0), |byte| from_char_code(byte.into()));
        bytes.fold(first, |text, byte| string(&text).concat(&from_char_code(byte.into())))
    }

    fn followed_by(&self, other: &Self) -> Self {
        string(self).concat(other)
    }
}

impl PacketValue for JsonValue {
    type Binary = JsBinary;

    fn byte_length(binary: &JsBinary) -> u64 {
        binary.byte_length() as u64
    }

    fn parse_from(text: &JsonText, from: usize) -> Option<(Json, Self)> {
        let value = parse(text, from as u32);
        kind(&value).json().map(|json| (json, value))
    }

    fn as_text(&self) -> Option<JsonText> {
        as_text(self)
    }

    fn last_text(&self) -> Option<JsonText> {
        last_text(self)
    }

    fn member_text(&self, member: Member) -> Option<JsonText> {
        text_of(self, member.into())
    }

    fn member_count(&self, member: Member) -> Option<u64> {
        unless_nan(count_of(self, member.into()))
    }

    fn has_member(&self, member: Member) -> bool {
        has(self, member.into())
    }

    fn has_only_placeholders_below(&self, attachments: u32) -> bool {
        has_only_placeholders_below(self, attachments)
    }
}

fn string(text: &JsonText) -> &JsString {
    text.unchecked_ref()
}

impl fmt::Debug for JsBinary {
    /// Shows nothing: it is a payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsBinary")
    }
}
