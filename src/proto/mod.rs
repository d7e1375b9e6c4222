//! The pure state machine: no clock, no randomness source, no I/O, no JavaScript.
//!
//! [`Client`] composes small machines that know the same verbs: [`backoff`], `heartbeat`, `outbox`, `sessions`, `incoming`, `requests`.
//! The vocabulary between the machine and whoever drives it is in [`io`] and [`message`].
//!
//! What applications see, such as options, errors and snapshots, grows with every version and is `#[non_exhaustive]`. What a driver has to
//! act on is not, and each such type says why.

pub mod backoff;
pub mod client;
pub mod close;
mod coded;
pub mod config;
mod heartbeat;
mod incoming;
mod inputs;
pub mod io;
pub mod message;
pub mod numeric_options;
mod outbox;
mod reliable;
mod requests;
mod send_window;
mod sending;
mod sessions;
pub mod snapshot;
#[cfg(feature = "socketio")]
pub mod socketio;
mod state;
mod suspicion;
pub mod time;
pub mod timer;
mod transitions;
pub mod wire;

pub use client::Client;
pub use close::{Cause, Close, Reason, ReconnectAction};
pub use config::{Config, ConfigError, Overflow, ValidatedConfig};
pub use io::{Event, Input, Output, ProtocolViolation, SocketId};
pub use message::{DropReason, Message, Policy, Purpose, Refusal, Refused, RequestFailure, Sent, Sequence};
pub use sessions::MAX_SESSIONS;
pub use snapshot::{Delivery, Phase, Snapshot};
pub use time::Timestamp;
pub use timer::Timer;
