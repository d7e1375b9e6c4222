//! A TCP proxy that misbehaves on command.
//!
//! [`FaultProxy`] stands between a client and a server and passes bytes on, until a [`Rule`] says otherwise. Rules can be
//! added from Rust ([`FaultProxy::rules`]) or over HTTP ([`FaultProxy::control`]). They work below WebSocket, so
//! what a client sees is what a bad network looks like: no close frame, no error, only bytes that do not come.

mod control;
mod proxy;
mod pump;
mod rule;
mod rules;

pub use proxy::{FaultProxy, Traffic};
pub use rule::{Direction, Fault, Rule};
pub use rules::{RuleStatus, Rules};
