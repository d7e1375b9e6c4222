//! The state machine in virtual time: scenarios, properties, and a thundering herd.

#![cfg(not(target_arch = "wasm32"))]

mod announcing;
mod attempts;
mod backoff;
mod closing;
mod decoding;
mod determinism;
mod driving;
mod encoding;
mod extremes;
mod forgetting;
mod growth;
mod heartbeat;
mod hostile;
mod logged_out;
mod membership;
mod properties;
mod queue;
mod queue_bounds;
mod reliable;
mod session_simulation;
mod session_vectors;
mod sessions;
mod socketio;
mod steps;
mod thundering_herd;
mod tokens;
mod vectors;
mod wake;
