//! The reference back end that Everwire is tested against, and that people may copy from.
//!
//! It spells the wire format of `docs/PROTOCOL.md` itself and shares no code with the client, so that a drift
//! between the two is a failing test and not a silent agreement.
//!
//! How a frame travels:
//!
//! 1. [`Server`] accepts TCP connections and hands HTTP requests to the routes.
//! 2. The handshake checks origin, token and room, and upgrades the request to a WebSocket.
//! 3. One task for each socket reads frames, has them dispatched, and writes what was queued for its connection.
//! 4. The hub knows which connections a user has and which users a room has. A broadcast is serialised once, and its
//!    bytes are shared by all queues.
//!
//! A message with a sequence number goes through the database instead: it is processed and answered by jobs on the
//! database's thread, which also gives stored events their places. `reliable` says how.
//!
//! What holds it together:
//!
//! - Nobody waits for a slow client: queues are bounded, and whoever falls behind is cut off.
//! - Timers are few: one sweep ends idle and stuck connections, one more ends typing.
//! - What was announced is stored: a CoLabMatch message reaches the disk before it reaches anyone.
//! - Tokens and payloads stay out of logs, metrics and the audit trail.

mod action;
mod api;
mod app;
mod audit;
mod budget;
mod clock;
mod colabmatch;
mod connection;
mod conversations;
mod database;
mod dev;
mod dispatch;
mod ending;
mod envelope;
mod environment;
mod frame;
#[cfg(test)]
mod fuzz;
mod handshake;
mod hook;
mod hub;
mod intake;
mod limits;
mod masterx;
mod matches;
mod messages;
mod metrics;
mod options;
mod outgoing;
mod problem;
mod process;
mod reliable;
mod reply;
mod room;
mod roster;
mod routes;
mod scan;
mod sender;
mod server;
mod sieve;
mod socket;
mod store;
mod sweeper;
mod token;
mod trail;
mod tutor;
mod typing;

pub use hook::{Incident, error_hook};
pub use options::{LogFormat, Options, Reject, Secret};
pub use server::{Server, StartError};
pub use store::StoreError;
