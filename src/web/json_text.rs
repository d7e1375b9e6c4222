//! Texts that `JSON.stringify` has written, looked at character by character. Only the few texts that need it come here.

/// Whether arrays and objects are nested in each other more than `levels` deep.
pub(super) fn is_deeper_than(levels: usize, json: &str) -> bool {
    let (mut depth, mut is_string, mut is_escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            b'[' | b'{' if !is_string => depth += 1,
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > levels {
            return true;
        }
    }
    false
}

/// Replaces lone surrogates, which stand as escapes in the text and which many readers refuse (RFC 8259, section 8.2). What looks like one
/// after a backslash that is data stays, so escapes are looked at from the left.
pub(super) fn replace_lone_surrogates(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let (kept, length) = match (surrogate(escape), surrogate(escape.get(ESCAPE..).unwrap_or_default())) {
            (None, _) => (true, 1 + escape.chars().nth(1).map_or(0, char::len_utf8)),
            (Some(Surrogate::High), Some(Surrogate::Low)) => (true, 2 * ESCAPE),
            (Some(_), _) => (false, ESCAPE),
        };
        let (escape, after) = escape.split_at(length);
        text.push_str(if kept { escape } else { "\u{fffd}" });
        rest = after;
    }
    text.push_str(rest);
    text
}

#[derive(Clone, Copy)]
enum Surrogate {
    High,
    Low,
}

/// What the escape at the start of a text stands for, if it is a surrogate.
fn surrogate(text: &str) -> Option<Surrogate> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Surrogate::High),
        0xdc00..=0xdfff => Some(Surrogate::Low),
        _ => None,
    }
}

/// The length of such an escape.
const ESCAPE: usize = 6;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{is_deeper_than, replace_lone_surrogates};

    #[test]
    fn depth_is_that_of_arrays_and_objects_outside_of_strings() {
        assert!(is_deeper_than(2, r#"{"a":[[]]}"#));
        assert!(!is_deeper_than(3, r#"{"a":[[]]}"#));
        assert!(!is_deeper_than(1, r#"["[[{{\"[[{{",""]"#));
        assert!(is_deeper_than(1, r#"["\\",["]"]]"#));
        assert!(!is_deeper_than(2, "[[],[],{}]"));
    }

    #[test]
    fn lone_surrogates_are_replaced_and_everything_else_stays() {
        for (json, replaced) in [
            (r#""\ud83d""#, "\"\u{fffd}\""),
            (r#""\uDE00x""#, "\"\u{fffd}x\""),
            (r#""\ud83d\ud83d\ude00""#, "\"\u{fffd}\\ud83d\\ude00\""),
            (r#""\ude00\ud83d""#, "\"\u{fffd}\u{fffd}\""),
            (r#""\ud83d\u0041""#, "\"\u{fffd}\\u0041\""),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, "\"\\\\\u{fffd}\""),
            (r#""\n\u0000 ✓ C:\\data""#, r#""\n\u0000 ✓ C:\\data""#),
            (r#""\ud83d\\""#, "\"\u{fffd}\\\\\""),
        ] {
            assert_eq!(replace_lone_surrogates(json), replaced, "{json}");
        }
    }

    #[test]
    fn texts_that_are_cut_off_break_nothing() {
        for json in ["", "\\", "\\u", "\\ud8", "\\✓", "\\ud8✓", "\\u✓"] {
            assert_eq!(replace_lone_surrogates(json), json);
        }
        assert_eq!(replace_lone_surrogates("\\ud83d\\"), "\u{fffd}\\");
    }
}
