//! Scenarios of the reliable mode (docs/PROTOCOL.md).

mod acknowledgements;
mod answers;

mod durable;
mod epochs;
mod hello;
mod limits;
mod poison;
mod policies;
mod pressure;
mod requests;
mod resuming;
mod streams;
mod violations;
