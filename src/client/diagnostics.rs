//! What the module holds in the browser.

use crate::web::counters;

/// What all clients of the page together hold in the browser. When every client is dropped and its connection closed, both
/// numbers are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostics {
    /// Closures that JavaScript can call: the listeners and the alarm of each client, its token function, and its handlers.
    pub closures: u32,
    /// Sockets that are listened to: at most one for each client.
    pub sockets: u32,
}

impl Diagnostics {
    /// Counts.
    #[must_use]
    pub fn take() -> Self {
        Self { closures: counters::closures(), sockets: counters::sockets() }
    }
}
