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
pub mod config;
mod facts;
mod heartbeat;
mod incoming;
pub mod io;
mod link;
pub mod message;
pub mod numbers;
mod outbox;
mod reliable;
mod requests;
mod sending;
mod sessions;
pub mod snapshot;
mod state;
mod suspicion;
pub mod time;
pub mod timer;
mod transitions;

pub use client::Client;
pub use close::{Cause, Close, Reason, Verdict};
pub use config::{Checked, Config, ConfigError, Overflow};
pub use io::{Event, Inbound, Input, News, Output, Place, SocketId, Violation};
pub use message::{DropReason, Message, Numbers, Policy, Purpose, Refusal, Refused, RequestFailure, Sent};
pub use sessions::MAX_SESSIONS;
pub use snapshot::{Delivery, Phase, Snapshot};
pub use time::Timestamp;
pub use timer::Timer;
