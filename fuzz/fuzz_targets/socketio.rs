//! The shipped reader and writer of Socket.IO frames under arbitrary frames.
#![no_main]

use everwire_fuzz::socketio;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frames: &str| socketio::check(frames));
