//! The shipped decoder and encoder under arbitrary text.
#![no_main]

use everwire_fuzz::wire;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| wire::check(text));
