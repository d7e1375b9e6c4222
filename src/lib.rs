//! Real-time JSON events over WebSocket, for browsers.
//!
//! A pure state machine ([`proto`]) decides everything. A thin driver (`browser`) turns what happens in the browser into its
//! inputs and its outputs into browser calls. Two faces show it: `Client` to Rust front ends, and exports that the
//! npm package `everwire` wraps for JavaScript and React.
//!
//! # The driving contract
//!
//! Whoever drives [`proto::Client`], a browser or a test, does this and nothing else:
//!
//! 1. A fact happens: a socket opens, a frame arrives, a socket closes, the alarm goes off, the network or the page comes
//!    back, or the application gives a command.
//! 2. It goes in with the current time: [`proto::Client::handle_input`], or the command's own method. Time is an argument,
//!    never read; randomness comes from a seed given once.
//! 3. [`proto::Client::poll_output`] is drained until `None`. Socket effects are performed at once; events for the
//!    application go to a list.
//! 4. Every borrow is released.
//! 5. The one alarm is armed anew from [`proto::Client::poll_timeout`] if that changed. Early and late calls are harmless.
//! 6. The listed events go to the application's handlers. A handler that throws is reported, and the others still run.
//!
//! # Contents
//!
//! - [`proto`]: the state machine. Builds and tests natively.
//! - `events`: the MasterX and CoLabMatch catalogues as serde types (feature `rust`).
//! - `browser`: the driver (wasm32 only).
//! - `Client`: the Rust face (wasm32, feature `rust`).
//! - `js`: the JavaScript face (wasm32, feature `js`).

#![cfg_attr(not(any(feature = "web", test)), no_std)]

extern crate alloc;

pub mod driver;
pub mod events;
pub mod proto;

#[cfg(all(target_arch = "wasm32", feature = "npm"))]
mod no_std_runtime;
#[cfg(feature = "npm")]
mod npm;
#[cfg(any(feature = "npm", feature = "web"))]
mod reentrancy_cell;
