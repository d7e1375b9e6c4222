//! Strings that no Unicode text is, which the fuzzer cannot write itself.

/// The text with half a surrogate pair in place of each tilde: well-formed JSON as far as brackets and quotes go.
pub fn with_lone_surrogates(text: &str) -> Option<String> {
    text.contains(MARK).then(|| text.replace(MARK, "\\ud83d"))
}

const MARK: char = '~';
