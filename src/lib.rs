#![cfg_attr(all(doc, feature = "web"), doc = include_str!("../docs/CRATE.md"))]
#![cfg_attr(all(doc, feature = "web"), doc = "")]
//! # Contents
//!
#![cfg_attr(
    feature = "web",
    doc = "- [`client`]: the client for front ends in Rust (feature `web`), on web-sys, js-sys and gloo-timers."
)]
#![cfg_attr(
    not(feature = "web"),
    doc = "- `client`: the client for front ends in Rust (feature `web`), on web-sys, js-sys and gloo-timers."
)]
//! - [`events`]: own events, the MasterX and CoLabMatch catalogues as serde types (feature `web`), and how their events wait.
//! - [`driver`]: the loop between the state machine and the place that it runs in, for a host of your own.
//! - [`proto`]: the state machine. With the feature `json` it reads and writes `serde_json` values, without a browser.

#![cfg_attr(not(any(feature = "web", test)), no_std)]

extern crate alloc;
// Where there is a standard library, the `cdylib` that Cargo builds for dependents too needs its allocator and its handler of panics.
#[cfg(not(any(feature = "npm", feature = "web", test, target_os = "none")))]
extern crate std;

pub mod driver;
pub mod events;
pub mod proto;
#[cfg(feature = "json")]
pub mod session;

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
