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

mod clock;
mod connection;
mod dev;
mod dispatch;
mod envelope;
mod handshake;
mod hub;
mod masterx;
mod options;
mod reply;
mod routes;
mod server;
mod socket;
mod sync;
mod token;

pub use options::{Options, Reject, Secret};
pub use server::{Server, StartError};
