//! The host of the npm package: a class that JavaScript calls, and the object of each client that it calls back.
//!
//! Sockets, timers, handlers and option checks are TypeScript (`pkg/src/host`), which is smaller there. What crosses has names: methods, members,
//! and enums that are strings in JavaScript.

mod client;
mod codes;
mod host;
mod options;
mod snapshot;
mod value;
