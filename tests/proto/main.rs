//! The state machine in virtual time: scenarios, properties, and a stampede.

#![cfg(not(target_arch = "wasm32"))]

mod announcing;
mod attempts;
mod backoff;
mod closing;
mod determinism;
mod driver;
mod extremes;
mod forgetting;
mod growth;
mod heartbeat;
mod hostile;
mod membership;
mod memory;
mod properties;
mod queue;
mod queue_bounds;
mod reliable;
mod server;
mod sessions;
mod stampede;
mod steps;
mod tokens;
mod views;
mod wake;
mod wire;
mod world;
