//! The reference back end that Everwire is tested against, and that people may copy from.
//!
//! It spells the wire format of `docs/PROTOCOL.md` itself and shares no code with the client, so that a drift
//! between the two is a failing test and not a silent agreement.
//!
//! What the protocol promises is done by `everwire-axum`: connections, the database, exactly once. This crate says what messages mean:
//!
//! 1. [`Server`] accepts TCP connections and hands HTTP requests to the routes, one of which is the library's.
//! 2. The library asks the application (`app`) what a message does. Sessions, matches and typing are answered from memory; what is
//!    stored is an action, which the library carries out in the transaction that makes the message processed.
//!
//! Tokens and payloads stay out of logs, metrics and the audit trail.

mod api;
mod app;
mod audit;
mod colabmatch;
mod conversations;
mod dev;
mod environment;
#[cfg(test)]
mod fuzz;
mod hook;
mod masterx;
mod match_status;
mod matches;
mod messages;
mod metrics;
mod options;
mod problem;
mod process;
mod rooms;
mod roster;
mod routes;
mod server;
mod trail;
mod tutor;
mod typing;

pub use everwire_axum::StoreError;
pub use hook::{Incident, error_hook};
pub use options::{Location, LogFormat, Options, Reject, Secret};
pub use server::{Server, StartError};
