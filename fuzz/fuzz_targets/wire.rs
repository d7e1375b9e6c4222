//! The shipped decoder and encoder under arbitrary text.
#![no_main]

use everwire_fuzz::wire_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| wire_text::check(text));
