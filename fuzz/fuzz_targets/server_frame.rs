//! The reference server's reader of frames under arbitrary text.
#![no_main]

use everwire_fuzz::server_frame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| server_frame::read(text));
