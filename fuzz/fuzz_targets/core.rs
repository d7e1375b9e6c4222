//! The state machine under an arbitrary application, network, clock and server.
#![no_main]

use everwire_fuzz::core::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: Script| script.run());
