//! The reliable mode: messages processed exactly once, stored events that are sent again until a client has them.
//!
//! All of it happens on the database's thread, one job after the other, so its order is the order of everything:
//!
//! 1. A connection's task checks a message's numbers and whether it may be done, and hands it on as a job.
//! 2. The job writes effects, `last` and events in the transaction that it shares with the jobs around it.
//! 3. After the commit, and never before, the [`Ledger`] queues events, replies and acknowledgements for connections.
//!
//! Rows decide, and not memory: several processes may have the database, as during a rolling restart. A message is taken by an
//! update that finds its predecessor and its connection in the row of the client id; an offset comes from the row of its stream.
//!
//! A connection that is behind (it has just resumed, or reads slowly) is given pages from the history, and live
//! events again from the moment when it has caught up. Both are decided in one place, so nothing comes twice or
//! is left out in between.

mod attempt;
mod changes;
mod clients;
mod context;
mod event;
mod hello;
mod ledger;
mod members;
mod others;
mod outbox;
mod processed;
mod receipts;
mod relay;
mod replay;
mod retention;
mod schema;
mod sequence;
mod streams;
mod work;

pub use context::{Context, Origin};
pub use event::{Author, Event, transient_frame};
pub use hello::{Hello, HelloError};
pub use ledger::{Bounds, Ledger};
pub use processed::{Processed, processed};
pub use relay::PUBLISH;
pub use retention::{Forgettable, REJOINING_TIME, forget_events};
pub use schema::{OUTBOX_OF_POSTGRES, OUTBOX_OF_SQLITE, SCHEMA, SCHEMA_OF_POSTGRES, SCHEMA_OF_SQLITE};
pub use sequence::{Case, MAX_NUMBER, Numbers, Sequence};
pub use streams::{Kept, USER_STREAM, is_stored};
pub use work::{Outcome, Source, Work};

/// How many messages of a client may be unacknowledged.
pub const WINDOW: usize = 128;

/// Room for the positions of 256 streams.
pub const MAX_HELLO_BYTES: usize = 64 * 1024;

/// What the fields of the reliable mode may add to a message of the largest size.
pub const SEQUENCE_SLACK_BYTES: usize = 96;
