//! The host of the npm package: a class that JavaScript calls, and the object of each client that it calls back.
//!
//! Sockets, timers, handlers and option checks are TypeScript (`pkg/src/host`), which is smaller there. What crosses has names: methods, members,
//! and enums that are strings in JavaScript.
//!
//! With the feature `socketio`, the class speaks to Socket.IO servers and to no others: another module, for an entry of its own.

mod client;
mod codes;
#[cfg(not(feature = "socketio"))]
mod envelopes;
mod host;
mod options;
mod snapshot;
#[cfg(feature = "socketio")]
mod socketio;
mod value;

#[cfg(not(feature = "socketio"))]
use envelopes::dialect;
#[cfg(feature = "socketio")]
use socketio::dialect;
