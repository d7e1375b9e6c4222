//! The dialect of Socket.IO servers, beside the state machine (docs/SOCKETIO.md).
//!
//! [`Client`](super::Client) decides when to connect, what waits and what is sent, and knows nothing of this dialect: it runs at most once, with a
//! heartbeat that never pings. Each socket has a [`Carrier`], which reads frames, watches the server's pings, and may serve clients of several
//! namespaces. Each client has a [`Link`] on it, which joins the namespace, and says when the socket counts as open and how it ended. Whoever drives them hands what a
//! link says on to the client, and keeps [`Acks`] for the events that ask to be acknowledged and [`Recovery`] for the session.

mod acks;
mod carrier;
mod link;
mod recovery;
mod server_pings;

pub use acks::{Acks, MAX_ACKS};
pub use carrier::{Carrier, CarrierOutput, Report, UnexpectedPacket};
pub use link::{Link, LinkOutput, MAX_EARLY_PACKETS};
pub use recovery::{Continuity, Recovery};
