//! Sending: from an event to what became of it.

use serde::Serialize;
use wasm_bindgen::JsValue;

use super::send_options::check_millis;
use super::{Client, RequestError, SendError, SendOptions, encode};
use crate::driver;
use crate::events::WireEvent;
use crate::proto::Sent;
use crate::web::{Outgoing, WebHost};

impl Client {
    /// Sends an event: hands it to the open connection, or queues it.
    ///
    /// # Errors
    ///
    /// [`SendError`] when it was not accepted; then nothing is sent and nothing is queued.
    pub fn send<E: WireEvent + Serialize>(&self, event: &E) -> Result<Sent, SendError> {
        self.send_raw_with(E::TYPE, &encode::payload(event)?, &event.send_options())
    }

    /// Sends an event whose data is a JavaScript value: a JSON object, or `undefined` for an empty one.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_raw(&self, event: &str, data: &JsValue) -> Result<Sent, SendError> {
        self.send_raw_with(event, data, &SendOptions::default())
    }

    /// Sends an event that waits in another way than its type says. What `options` leaves open is as
    /// [`WireEvent::send_options`] has it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`SendError::InvalidOption`] for an option out of its range.
    pub fn send_with<E: WireEvent + Serialize>(&self, event: &E, options: &SendOptions) -> Result<Sent, SendError> {
        self.send_raw_with(E::TYPE, &encode::payload(event)?, &options.clone().or(event.send_options()))
    }

    /// Sends an event whose data is a JavaScript value, and that waits in another way than its type says.
    ///
    /// # Errors
    ///
    /// As [`send_with`](Self::send_with).
    pub fn send_raw_with(&self, event: &str, data: &JsValue, options: &SendOptions) -> Result<Sent, SendError> {
        let host = self.host().ok_or(SendError::NoJavaScript)?;
        submit(host, event, data, options, None).map(|(sent, _)| sent)
    }

    /// Takes back the message with this number, unless it was sent already: then it returns `false` and changes nothing, as it does
    /// for numbers that were never given. Nothing else is told of a message that was taken back.
    pub fn cancel(&self, seq: u64) -> bool {
        let Some(host) = self.host() else { return false };
        let is_in_time = host.command(|core, now| core.cancel(seq, now));
        if is_in_time {
            host.dispatcher().resolve_request(seq, || Err(RequestError::Cancelled));
            host.dispatcher().deliver();
        }
        is_in_time
    }

    /// Waits until a message would be sent at once, or queued while there is no connection: the pace at which to send a lot. Pends as
    /// long as there is no room, which may be for ever if nobody connects.
    pub async fn when_room(&self) {
        if let Some(host) = self.host() {
            host.dispatcher().wait_for(|| host.with_core(|core| core.snapshot().has_room.then_some(()))).await;
        }
    }

    /// The number of the message that was accepted last, by which [`cancel`](Self::cancel) and the [events](super::ClientEvent) name it.
    /// A listener that sends when it is told what a call has changed does so before that call returns, and so moves the number.
    #[must_use]
    pub fn latest_seq(&self) -> u64 {
        self.host().map_or(0, |host| host.with_core(|core| core.latest_seq()))
    }
}

/// Hands a message over, with the time for the reply if it is a request. Returns its number, too.
pub(super) fn submit(
    host: &WebHost,
    event: &str,
    data: &JsValue,
    options: &SendOptions,
    reply_within_ms: Option<u64>,
) -> Result<(Sent, u64), SendError> {
    check_millis("ttl_ms", options.ttl_ms)?;
    check_millis("timeout_ms", reply_within_ms)?;
    let message =
        Outgoing { event, data, options, reply_within_ms, sessions: host.sessions() }.message(host.is_reliable())?;
    // What becomes of a request may be told before the driver returns, so its number is expected before it is given.
    let expected = reply_within_ms.map(|_| host.with_core(|core| core.latest_seq()) + 1);
    let requests = host.dispatcher().requests();
    if let Some(seq) = expected {
        requests.expect(seq);
    }
    driver::send(&mut &*host, message).map_err(|refusal| {
        if let Some(seq) = expected {
            requests.forget(seq);
        }
        SendError::Refused(refusal)
    })
}
