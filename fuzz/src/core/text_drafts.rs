//! Texts that may be JSON, and may be anything.

use std::fmt;

use arbitrary::{Arbitrary, Result, Unstructured};

/// A text of pieces of frames, one for each byte, whose brackets and quotes are closed at its end.
#[derive(Clone, Debug)]
pub(super) struct TextDraft {
    pieces: Vec<u8>,
}

impl<'a> Arbitrary<'a> for TextDraft {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let length = bytes.len();
        Ok(Self { pieces: bytes.bytes(length)?.to_vec() })
    }
}

impl fmt::Display for TextDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for piece in &self.pieces {
            match PIECES.get(usize::from(*piece)) {
                Some(piece) => text.push_str(piece),
                None => text.push(char::from(*piece)),
            }
        }
        f.write_str(&text)?;
        f.write_str(&missing_end(&text))
    }
}

/// What closes the strings, arrays and objects that are open at the end of the text.
fn missing_end(text: &str) -> String {
    let mut open = Vec::new();
    let (mut is_string, mut is_escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_string => is_escaped = true,
            '"' => is_string = !is_string,
            '{' if !is_string => open.push('}'),
            '[' if !is_string => open.push(']'),
            '}' | ']' if !is_string => _ = open.pop(),
            _ => {}
        }
    }
    let quote = if is_string { "\"" } else { "" };
    quote.chars().chain(open.into_iter().rev()).collect()
}

const PIECES: &[&str] = &[
    r#"{"type":"#,
    r#"{"type":"pong","#,
    r#"{"type":"welcome","data":{"version":1,"epoch":1,"last":0,"#,
    r#"{"type":"ack","data":{"#,
    r#"{"type":"error","data":{"#,
    r#"{"type":"reply","data":{"#,
    r#"{"type":"receipt","data":{"status":"read","#,
    r#"{"type":"stream","data":{"#,
    r#"{"type":"notification","#,
    r#""pong""#,
    r#""welcome""#,
    r#""ack""#,
    r#""error""#,
    r#""hello""#,
    r#""data":"#,
    r#""seq":"#,
    r#""prev":"#,
    r#""offset":"#,
    r#""stream":"#,
    r#""streams":{"#,
    r#""user":"#,
    r#""user""#,
    r#""s1""#,
    r#""client:k3Zq8vXw2LmN4pRt""#,
    r#""client_id":"k3Zq8vXw2LmN4pRt""#,
    r#""about":"hello""#,
    r#""epoch":"#,
    r#""last":"#,
    r#""window":"#,
    r#""max_bytes":"#,
    r#""remember_ms":"#,
    r#""version":"#,
    r#""status":"#,
    "0",
    "1",
    "2",
    "3",
    "1.5",
    "2.0",
    "-1",
    "1e3",
    "9007199254740991",
    "9007199254740992",
    "18446744073709551616",
    "1e999",
    "null",
    "true",
    "{}",
    "[]",
    "{",
    "}",
    "[",
    "]",
    ",",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud83d",
    "\u{1f600}",
    " ",
];
