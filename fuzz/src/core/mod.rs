//! A client with its driver and its decoder under any sequence of commands and inputs.
//!
//! Inputs come in two kinds. Most are what a browser, a network and a server could do, however byzantine: the harness of the test kit
//! asserts everything. The others break the contract of whoever drives the machine, such as a clock beyond all clocks; from then on the run
//! is wild, and only what holds without any contract is asserted: no panic, no growth beyond the bounds, no timer that spins.

mod fuzzed_run;
mod mutate;
mod options;
mod script;
mod server_frame_drafts;
mod steps;
mod text_drafts;

pub use mutate::mutate;
pub use script::Script;
