//! Finds the numbers of a message in a frame, however little else of it can be read.

use serde_json::{Map, Value};

use crate::reliable::Numbers;

/// Looks for `seq`, `prev` and `request` at the top level of an envelope, piece by piece.
///
/// It follows strings and nesting and believes nothing else, so lone surrogates, any depth and any length are no obstacle. A frame
/// whose numbers cannot be found cannot be acknowledged, and its client would send it for ever.
pub struct Scan {
    at: At,
    /// Open objects and arrays.
    depth: u64,
    /// What comes next at the top level.
    slot: Slot,
    /// The key or scalar that is being read, as far as it can matter.
    token: Vec<u8>,
    key: Option<&'static str>,
    fields: Map<String, Value>,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Start,
    Between,
    String,
    Escape,
    Scalar,
    End,
}

#[derive(Clone, Copy, PartialEq)]
enum Slot {
    Key,
    Colon,
    Value,
    Comma,
}

impl Scan {
    pub fn new() -> Self {
        Self { at: At::Start, depth: 0, slot: Slot::Key, token: Vec::new(), key: None, fields: Map::new() }
    }

    /// The numbers of a whole frame.
    pub fn text(text: &str) -> Numbers {
        let mut scan = Self::new();
        scan.feed(text.as_bytes());
        scan.finish()
    }

    /// Reads on.
    pub fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.at == At::End {
                return;
            }
            self.step(*byte);
        }
    }

    /// What was found. Of a field that is there twice the last counts.
    pub fn finish(mut self) -> Numbers {
        Numbers::take_from(&mut self.fields)
    }

    fn step(&mut self, byte: u8) {
        match self.at {
            At::Start => match byte {
                b'{' => (self.at, self.depth) = (At::Between, 1),
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => self.at = At::End,
            },
            At::Escape => {
                self.keep(b'\\');
                self.keep(byte);
                self.at = At::String;
            }
            At::String => match byte {
                b'"' => self.string_ends(),
                b'\\' => self.at = At::Escape,
                byte => self.keep(byte),
            },
            At::Scalar => match byte {
                b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' => {
                    self.scalar_ends();
                    self.between(byte);
                }
                byte => self.keep(byte),
            },
            At::Between => self.between(byte),
            At::End => {}
        }
    }

    fn between(&mut self, byte: u8) {
        let top = self.depth == 1;
        match byte {
            b'"' => {
                self.token.clear();
                self.at = At::String;
            }
            b'{' | b'[' => {
                self.depth = self.depth.saturating_add(1);
                if top {
                    self.found(None);
                }
            }
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.at = At::End;
                }
            }
            b':' if top && self.slot == Slot::Colon => self.slot = Slot::Value,
            b',' if top => self.slot = Slot::Key,
            b' ' | b'\t' | b'\r' | b'\n' | b':' | b',' => {}
            byte if top && self.slot == Slot::Value => {
                self.token.clear();
                self.keep(byte);
                self.at = At::Scalar;
            }
            _ => {}
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.token.len() <= LONGEST_TOKEN {
            self.token.push(byte);
        }
    }

    fn string_ends(&mut self) {
        self.at = At::Between;
        if self.depth > 1 {
            return;
        }
        if self.slot == Slot::Key {
            self.key = self.field();
            self.slot = Slot::Colon;
        } else {
            self.found(None);
        }
    }

    /// The field that the key names, however it is written.
    fn field(&mut self) -> Option<&'static str> {
        if self.token.contains(&b'\\') {
            let quoted = [b"\"", &self.token[..], b"\""].concat();
            self.token = serde_json::from_slice::<String>(&quoted).ok()?.into_bytes();
        }
        FIELDS.into_iter().find(|field| field.as_bytes() == self.token)
    }

    fn scalar_ends(&mut self) {
        self.at = At::Between;
        let scalar = Some(&self.token).filter(|token| token.len() <= LONGEST_TOKEN);
        let value = scalar.and_then(|token| serde_json::from_slice(token).ok());
        self.found(value);
    }

    /// A value has been read, or has begun and is none that a number could be.
    fn found(&mut self, value: Option<Value>) {
        if self.slot == Slot::Value {
            self.slot = Slot::Comma;
            if let Some(key) = self.key.take() {
                self.fields.insert(key.to_owned(), value.unwrap_or_default());
            }
        }
    }
}

const FIELDS: [&str; 3] = ["seq", "prev", "request"];

/// Longer than any of the fields in escapes alone, and than any number that may be in them.
const LONGEST_TOKEN: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reliable::Sequence;

    fn present(seq: u64, prev: u64, request: bool) -> Numbers {
        Numbers::Present(Sequence { seq, prev, request })
    }

    #[test]
    fn finds_the_numbers_before_and_behind_what_cannot_be_read() {
        let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let huge = format!(r#"{{"x":"{}"}}"#, "\\\"{".repeat(100_000));
        for data in [r#"{"x":"\ud83d"}"#, r#"{"\udc00":1e999}"#, r#"{"x":tru, "y":'}"#, &deep, &huge] {
            let first = format!(r#"{{"seq":7,"prev":5,"request":true,"type":"echo","data":{data}}}"#);
            assert_eq!(Scan::text(&first), present(7, 5, true), "{}", &first[..60]);
            let last = format!(" {{\"type\":\"echo\",\"data\":{data}, \"prev\" :\t5 ,\"seq\":7\n}}");
            assert_eq!(Scan::text(&last), present(7, 5, false), "{}", &last[..60]);
        }
        assert_eq!(Scan::text(r#"{"seq":7,"type":"a","data":{"x":"#), present(7, 6, false));
    }

    #[test]
    fn finds_none_but_those_at_the_top_level() {
        for text in [
            "",
            "7",
            r#""seq":7"#,
            r#"[{"seq":7}]"#,
            r#"{"type":"a"} {"seq":7}"#,
            r#"{"data":{"seq":7}}"#,
            r#"{"data":"\"seq\":7"}"#,
            r#"{"data":"seq"}"#,
            r#"{"seqs":7,"se":1,"a-key-that-is-longer-than-any-field":7}"#,
            r#"{"seq" 7}"#,
            r#"{"\\seq":7,"se\q":7,"\ud83dseq":7,"\u0073eqs":7}"#,
            // It may go on: nothing says that this is the whole number.
            r#"{"seq":7"#,
        ] {
            assert_eq!(Scan::text(text), Numbers::Absent, "{text}");
        }
    }

    #[test]
    fn finds_fields_that_are_written_in_escapes() {
        let request = r"\u0072\u0065\u0071\u0075\u0065\u0073\u0074";
        let text = format!(r#"{{"\u0073eq":7,"p\u0072ev":5,"{request}":true,"type":"a"}}"#);
        assert_eq!(Scan::text(&text), present(7, 5, true));
    }

    #[test]
    fn what_is_no_number_is_wrong() {
        for seq in ["\"7\"", "[7]", "{}", "null", "7.5", "-7", "tru", "0", "7000000000000000000000000000"] {
            assert_eq!(Scan::text(&format!(r#"{{"seq":{seq},"type":"a"}}"#)), Numbers::Wrong, "{seq}");
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_as_the_whole() {
        let text = r#"{"type":"echo","data":{"x":["\\",{"seq":1}]},"prev":41,"seq":42,"request":true}"#;
        for size in 1..text.len() {
            let mut scan = Scan::new();
            text.as_bytes().chunks(size).for_each(|piece| scan.feed(piece));
            assert_eq!(scan.finish(), present(42, 41, true), "{size}");
        }
    }
}
