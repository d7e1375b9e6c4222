//! What happens to a connection, as a value.

use wasm_bindgen::JsValue;

use super::{ClientError, Snapshot};
use crate::proto::wire::ReceiptStatus;
use crate::proto::{Close, DropReason};

/// What happens to the connection, told in the order in which it happens.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The connection is open, sessions are rejoined, and the queue is flushed.
    Opened,
    /// A connection or an attempt ended.
    Closed(Close),
    /// The next attempt is scheduled.
    Reconnecting {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The wait before it, in milliseconds, jitter included.
        delay_ms: u64,
    },
    /// The attempt budget is used up. Coming online, the page becoming visible, [`connect`](super::Client::connect),
    /// [`reconnect`](super::Client::reconnect) and [`token_changed`](super::Client::token_changed) start afresh.
    GaveUp {
        /// How many attempts failed.
        attempts: u32,
    },
    /// In the reliable mode: the server has processed every message up to this one.
    Acknowledged {
        /// The number that [`Client::latest_seq`](super::Client::latest_seq) gave after sending it.
        seq: u64,
    },
    /// In the reliable mode: the server has refused a message, which counts as processed and is not sent again. For a request, its
    /// future says the same.
    Rejected {
        /// The message's number.
        seq: u64,
        /// A word for programs, such as `not_joined`; empty if the server gave none.
        code: String,
        /// A sentence for people; empty if the server gave none.
        message: String,
    },
    /// In the reliable mode: a message has come to another user. A server need not tell.
    Receipt {
        /// The message's number.
        seq: u64,
        /// How far it has come.
        status: ReceiptStatus,
    },
    /// In the reliable mode: stored events cannot be had any more; fetch what they said by other means.
    Gap {
        /// The name of the stream.
        stream: String,
        /// The offset of the first that is missing.
        from: u64,
        /// The offset of the last; `None` if the server has started to count anew.
        to: Option<u64>,
    },
    /// The snapshot differs from what it was.
    Changed(Snapshot),
    /// A message that was accepted, or refused under [`Overflow::DropNewest`](crate::proto::Overflow::DropNewest), will not be
    /// sent. Not told of `ping`, with which conversations ask the server by themselves.
    Dropped {
        /// The number that [`Client::latest_seq`](super::Client::latest_seq) gave after sending it; `None` for a refused one, which has none.
        seq: Option<u64>,
        /// The type of the event.
        event: String,
        /// Its data, handed back.
        data: JsValue,
        /// Why.
        reason: DropReason,
    },
    /// Something went wrong that no call could answer for. The connection stays as it is.
    Error(ClientError),
}
