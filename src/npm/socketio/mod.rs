//! What the class of the npm package is in the module that speaks to Socket.IO servers.

mod codes;
mod connection;
mod core;
mod host;
mod value;

/// What the class does otherwise than in the other module.
pub(super) mod dialect {
    pub(in crate::npm) use super::core::membership;
    pub(in crate::npm) use crate::driver::socketio::{
        abandon, begin, forget, handle_input, handle_timeout, leave, transmit,
    };
}
