//! A client of a Socket.IO server, and the reader and the writer of its frames, under arbitrary frames and an arbitrary application.
#![no_main]

use everwire_fuzz::socketio;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frames: &str| socketio::check(frames));
