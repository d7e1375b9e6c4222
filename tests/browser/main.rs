//! The Rust client in a real browser, against the reference server behind its fault proxy.

#![cfg(all(target_arch = "wasm32", feature = "web"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chats;
mod closes;
mod connecting;
mod declared_sessions;
mod decoding;
mod faults;
mod frames;
mod handlers;
mod leaks;
mod messages;
mod outages;
mod page;
mod policies;
mod queue;
mod reliable;
mod requests;
mod server;
mod streams;
mod token_places;
mod user;
mod waiting;

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);
