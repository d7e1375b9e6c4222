//! The host of the Rust client: sockets, page events and tokens by web-sys and js-sys, the alarm by gloo-timers.
//!
//! Everything here compiles for every target, so that documentation and front ends with server rendering have it, and works only where
//! there is JavaScript: see [`HAS_JAVASCRIPT`]. Code of the application never runs while something is borrowed, and what it throws never
//! passes through the driver.

mod alarm;
mod closure;
pub(crate) mod counters;
mod endpoint;
mod envelope;
mod host;
mod json_text;
mod member_names;
mod outgoing;
mod page_events;
mod panics;
mod scope;
mod sockets;
mod token;
mod value;

#[cfg(feature = "json")]
pub(crate) use alarm::Alarm;
pub(crate) use closure::CountedClosure;
pub(crate) use endpoint::endpoint;
pub(crate) use envelope::Envelope;
pub(crate) use host::WebHost;
pub(crate) use outgoing::Outgoing;
#[cfg(feature = "json")]
pub(crate) use panics::awaited;
pub(crate) use panics::caught;
pub(crate) use scope::report_error;
#[cfg(feature = "json")]
pub(crate) use scope::{random_id, wall_clock};
pub(crate) use token::{Asked, TokenSource};
pub(crate) use value::{WebText, WebValue};

/// Whether JavaScript can be called. Elsewhere, as on a server that renders pages, every call of wasm-bindgen panics.
pub(crate) const HAS_JAVASCRIPT: bool = cfg!(all(target_family = "wasm", not(target_os = "wasi")));
