//! The dialect of Socket.IO servers, beside the state machine (docs/SOCKETIO.md).
//!
//! [`Client`](super::Client) decides when to connect, what waits and what is sent, and knows nothing of this dialect: it runs at most once, with a
//! heartbeat that never pings. Each of its sockets has a [`Link`] in front of it, which joins a namespace, watches the server's pings, and says when the socket counts as
//! open and how it ended. Whoever drives both hands what a link says on to the client, and keeps [`Acks`] for the events that ask to be acknowledged and
//! [`Recovery`] for the session.

mod acks;
mod link;
mod recovery;
mod server_pings;

pub use acks::Acks;
pub use link::{Link, LinkOutput, MAX_EARLY_PACKETS, Report, UnexpectedPacket};
pub use recovery::{Continuity, Recovery};
