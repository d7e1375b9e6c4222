//! The driver: turns what happens in a browser into inputs of the state machine, and its outputs into browser calls.
//!
//! User code never runs while Rust holds a borrow, and its exceptions never pass through Rust.

mod alarm;
mod clock;
pub(crate) mod counters;
pub(crate) mod driver;
mod effects;
mod entropy;
pub(crate) mod fault;
pub(crate) mod frame;
pub(crate) mod handlers;
mod signals;
mod socket;
pub(crate) mod target;

pub(crate) use driver::{Driver, Face, Notice};
pub(crate) use fault::Fault;
pub(crate) use target::{Target, TokenSource};
