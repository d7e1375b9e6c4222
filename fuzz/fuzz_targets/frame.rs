//! The typed events of the Rust face under arbitrary text.
#![no_main]

use everwire_fuzz::frame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| frame::decode(text));
