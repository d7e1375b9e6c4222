//! `everwire::proto::Client` under any sequence of commands and facts.
//!
//! Facts come in two kinds. Most are what a browser, a network and a server could do, however hostile: everything is asserted. The
//! others break the contract of whoever drives the machine, such as a clock beyond all clocks; from then on the run is wild, and
//! only what holds without any contract is asserted: no panic, no growth beyond the bounds, no timer that spins.

mod check;
mod ledger;
mod mutate;
mod options;
mod script;
mod sockets;
mod steps;
mod world;

pub use mutate::mutate;
pub use script::Script;
