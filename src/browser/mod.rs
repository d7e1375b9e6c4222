//! The driver: turns what happens in a browser into inputs of the state machine, and its outputs into browser calls.
//!
//! User code never runs while Rust holds a borrow, and its exceptions never pass through Rust.

#[cfg(feature = "rust")]
pub(crate) mod counters;
mod driver;
pub(crate) mod frame;
pub(crate) mod held;
mod host;

#[cfg(feature = "rust")]
pub(crate) use driver::Core;
pub(crate) use driver::{Driver, Face, now};
