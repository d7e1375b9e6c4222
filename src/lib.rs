//! Real-time JSON events over WebSocket, for browsers.
//!
//! A pure state machine ([`proto`]) decides everything. One loop ([`driver`]) takes what happens to it and performs what it asks for, in
//! whatever place it runs: a [`driver::Host`]. [`Client`] is the client for front ends in Rust, whose host is made of web-sys, js-sys and
//! gloo-timers; the npm package `everwire`, for JavaScript and React, has a host of its own.
//!
//! # The driving contract
//!
//! Whoever drives [`proto::Client`], a browser or a test, does this and nothing else:
//!
//! 1. Something happens: a socket opens, a frame arrives, a socket closes, the alarm goes off, the network or the page comes
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
//! - [`client`]: the client for front ends in Rust (feature `web`). It compiles for every target, and stays idle where there is no JavaScript.
//! - [`events`]: the MasterX and CoLabMatch catalogues as serde types (feature `web`), and how their events wait.
//! - [`driver`]: the loop of the driving contract, for a host of your own.
//! - [`proto`]: the state machine. With the feature `json` it reads and writes `serde_json` values, without a browser.

#![cfg_attr(not(any(feature = "web", test)), no_std)]

extern crate alloc;

pub mod driver;
pub mod events;
pub mod proto;

#[cfg(feature = "web")]
pub mod client;
#[cfg(feature = "web")]
#[doc(inline)]
pub use client::Client;
#[cfg(feature = "web")]
mod web;

#[cfg(any(feature = "npm", feature = "web"))]
mod mirror;
#[cfg(all(target_arch = "wasm32", feature = "npm"))]
mod no_std_runtime;
#[cfg(feature = "npm")]
mod npm;
#[cfg(any(feature = "npm", feature = "web"))]
mod reentrancy_cell;
