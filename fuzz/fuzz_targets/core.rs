//! The state machine under an arbitrary application, network, clock and server.
#![no_main]

use everwire_fuzz::core::{Script, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|script: Script| script.run());

fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(bytes, size, max_size, seed, fuzzer_mutate)
});
