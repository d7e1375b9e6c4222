//! The reference back end that Everwire is tested against, and that people may copy from.
//!
//! It spells the wire format of `docs/PROTOCOL.md` itself and shares no code with the client, so that a drift
//! between the two is a failing test and not a silent agreement.
//!
//! How a frame travels:
//!
//! 1. [`Server`] accepts TCP connections and hands HTTP requests to the routes.
//! 2. The handshake checks the token and upgrades the request to a WebSocket.
//! 3. One task per socket reads frames, has them dispatched, and writes what was queued for its connection.
//! 4. The hub knows which connections a user has and which users a session has; a broadcast is serialised once.

mod api;
mod app;
mod audit;
mod budget;
mod clock;
mod colabmatch;
mod connection;
mod dev;
mod dispatch;
mod ending;
mod envelope;
pub mod faults;
#[cfg(test)]
mod fuzz;
mod handshake;
mod hs256;
mod hub;
mod limits;
mod masterx;
mod matches;
mod messages;
mod metrics;
mod options;
mod outgoing;
mod problem;
mod process;
mod reply;
mod routes;
mod server;
mod socket;
mod store;
mod sweeper;
mod sync;
mod token;
mod typing;

pub use options::{LogFormat, Options, Reject, Secret};
pub use server::{Server, StartError};
pub use store::StoreError;
