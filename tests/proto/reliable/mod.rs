//! Scenarios of the reliable mode (docs/PROTOCOL.md).

mod acknowledgements;
mod disbelief;
mod durable;
mod epochs;
mod hello;
mod policies;
mod pressure;
mod requests;
mod resuming;
mod streams;
