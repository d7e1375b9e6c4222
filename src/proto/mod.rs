//! The pure state machine: no clock, no randomness source, no I/O, no JavaScript.
//!
//! [`Client`] composes small machines that know the same verbs: [`backoff`], [`heartbeat`], [`outbox`], [`sessions`],
//! [`incoming`], [`requests`].
//! The vocabulary between the machine and whoever drives it is in [`io`] and [`message`].

pub mod backoff;
pub mod client;
pub mod close;
pub mod config;
mod facts;
pub mod heartbeat;
pub mod incoming;
pub mod io;
mod link;
pub mod message;
pub mod numbers;
pub mod outbox;
mod reliable;
pub mod requests;
mod sending;
pub mod sessions;
pub mod snapshot;
pub mod state;
mod suspicion;
pub mod time;
pub mod timer;
mod transitions;

pub use client::Client;
pub use close::{Cause, Close, Reason, Verdict};
pub use config::{Checked, Config, ConfigError, Overflow};
pub use io::{Event, Inbound, Input, News, Output, Place, SocketId, Violation};
pub use message::{DropReason, Message, Numbers, Policy, Purpose, Refusal, Refused, RequestFailure, Sent};
pub use snapshot::{Delivery, Phase, Snapshot};
pub use time::Timestamp;
pub use timer::Timer;
