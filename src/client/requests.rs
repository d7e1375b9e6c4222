//! Requests, and the futures that wait for their replies.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use super::sending::submit;
use super::{Client, RequestError, SendError, SendOptions, decode, encode};
use crate::events::WireEvent;
use crate::reentrancy_cell::ReentrancyCell;
use crate::web::WebHost;

/// What became of a request: the result in its reply, or why there is none.
pub(super) type Outcome = Result<JsValue, RequestError>;

/// The requests whose futures wait, each by its message's number.
#[derive(Default)]
pub(super) struct Requests(ReentrancyCell<BTreeMap<u64, Request>>);

#[derive(Default)]
struct Request {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
}

impl Client {
    /// Sends an event and waits for the server's reply to it, which is decoded as `R`. Needs the reliable mode
    /// ([`Config::reliable`](crate::proto::Config::reliable)).
    ///
    /// It is sent, or queued, when the future is first polled, and waits for its reply over any number of connections, for at most
    /// `timeout_ms` milliseconds, the time in the queue included; at least 1, else [`SendError::InvalidOption`](super::SendError). When
    /// the time is over, or the future is dropped, a request that was not sent yet is taken back; one that was sent may have its
    /// effect on the server nevertheless. At most 1 000 requests wait at a time; more are refused as `queue_full`.
    ///
    /// # Errors
    ///
    /// [`RequestError`] says why there is no reply, and whether the request may have had its effect.
    pub async fn request<E, R>(&self, event: &E, timeout_ms: u64) -> Result<R, RequestError>
    where
        E: WireEvent + Serialize,
        R: DeserializeOwned,
    {
        let data = encode::payload(event).map_err(RequestError::Refused)?;
        let result = self.request_raw(E::TYPE, &data, timeout_ms).await?;
        decode::value(result).map_err(|error| RequestError::Undecodable { field: error.field, reason: error.reason })
    }

    /// Sends an event whose data is a JavaScript value and waits for the result in the server's reply: a JSON object, an empty one
    /// if the reply has none.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request), but for [`RequestError::Undecodable`].
    pub async fn request_raw(&self, event: &str, data: &JsValue, timeout_ms: u64) -> Outcome {
        let host = self.host().ok_or(RequestError::Refused(SendError::NoJavaScript))?;
        let options = SendOptions::default();
        let (_, seq) = submit(host, event, data, &options, Some(timeout_ms)).map_err(RequestError::Refused)?;
        let waiting = Waiting { host, seq };
        poll_fn(|context| waiting.requests().poll(seq, context)).await
    }
}

/// Ends the wait for one reply when it is dropped.
struct Waiting<'a> {
    host: &'a WebHost,
    seq: u64,
}

impl Waiting<'_> {
    fn requests(&self) -> &Requests {
        self.host.dispatcher().requests()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.requests().forget(self.seq) {
            self.host.command(|core, now| core.cancel(self.seq, now));
        }
    }
}

impl Requests {
    /// Begins to wait.
    pub(super) fn expect(&self, seq: u64) {
        self.0.borrow_mut().insert(seq, Request::default());
    }

    /// Notes what became of a request, if one waits; the first outcome counts. Returns whom to wake.
    pub(super) fn resolve(&self, seq: u64, outcome: impl FnOnce() -> Outcome) -> Option<Waker> {
        let is_waiting = self.0.borrow_mut().get(&seq).is_some_and(|request| request.outcome.is_none());
        if !is_waiting {
            return None;
        }
        let outcome = outcome();
        let mut requests = self.0.borrow_mut();
        let request = requests.get_mut(&seq)?;
        request.outcome = Some(outcome);
        request.waker.take()
    }

    fn poll(&self, seq: u64, context: &Context<'_>) -> Poll<Outcome> {
        let is_resolved = self.0.borrow_mut().get(&seq).is_none_or(|request| request.outcome.is_some());
        if is_resolved {
            let request = self.0.borrow_mut().remove(&seq);
            let outcome = request.and_then(|request| request.outcome);
            return Poll::Ready(outcome.unwrap_or(Err(RequestError::Cancelled)));
        }
        let waker = context.waker().clone();
        // The waker before it may be the last owner of a task, whose end runs user code: it is dropped when nothing is borrowed.
        let _before = self.0.borrow_mut().get_mut(&seq).and_then(|request| request.waker.replace(waker));
        Poll::Pending
    }

    /// Stops waiting. Says whether the request had no outcome yet.
    pub(super) fn forget(&self, seq: u64) -> bool {
        let request = self.0.borrow_mut().remove(&seq);
        request.is_some_and(|request| request.outcome.is_none())
    }
}
