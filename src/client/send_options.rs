//! How one message waits.

use super::SendError;
use crate::proto::ConfigError;

/// How one message waits, instead of as its event type and [`Queue`](crate::proto::config::Queue) say. The default changes nothing.
///
/// ```no_run
/// # use everwire::client::{Client, SendError, SendOptions};
/// # use everwire::events::masterx::MessageSent;
/// # fn example(client: &Client, draft: &MessageSent) -> Result<(), SendError> {
/// client.send_with(draft, &SendOptions::new().ttl_ms(5_000).coalesce("draft"))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendOptions {
    /// Whether the message is worth nothing after this moment. Default `false`. Without an open connection it is refused with
    /// [`Refusal::NotOpen`](crate::proto::Refusal::NotOpen); it has no number on the wire, is not acknowledged, and is lost with the
    /// connection. Pings and typing are so anyway; joining and leaving sessions never is.
    pub volatile: bool,
    /// How long the message may wait to be sent, in milliseconds. Default: `queue.ttl_ms`. Must be at least 1, else
    /// [`SendError::InvalidOption`]. After that it is reported as dropped, with
    /// [`DropReason::Expired`](crate::proto::DropReason::Expired). One that was sent once does not expire any more, and joining and leaving
    /// sessions never does.
    pub ttl_ms: Option<u64>,
    /// What the message replaces: a waiting one with the same key, which is reported as dropped, with
    /// [`DropReason::Replaced`](crate::proto::DropReason::Replaced). Default: typing and read receipts replace those about the same
    /// session, and everything else replaces nothing. Joining and leaving sessions ignore it.
    pub coalesce: Option<String>,
}

impl SendOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the message [`volatile`](Self::volatile).
    #[must_use]
    pub const fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// Sets [`ttl_ms`](Self::ttl_ms).
    #[must_use]
    pub const fn ttl_ms(mut self, ttl_ms: u64) -> Self {
        self.ttl_ms = Some(ttl_ms);
        self
    }

    /// Sets [`coalesce`](Self::coalesce).
    #[must_use]
    pub fn coalesce(mut self, key: impl Into<String>) -> Self {
        self.coalesce = Some(key.into());
        self
    }

    /// These, and `others` where these say nothing.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            volatile: self.volatile || others.volatile,
            ttl_ms: self.ttl_ms.or(others.ttl_ms),
            coalesce: self.coalesce.or(others.coalesce),
        }
    }
}

/// Checks a span of time that a caller gave, in milliseconds.
pub(super) fn check_millis(field: &'static str, millis: Option<u64>) -> Result<(), SendError> {
    let error = ConfigError { field, expected: "a number from 1" };
    if millis == Some(0) { Err(SendError::InvalidOption(error)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::SendOptions;

    #[test]
    fn what_a_call_says_goes_before_what_the_event_says() {
        let event = SendOptions::new().ttl_ms(5_000).coalesce("draft");
        assert_eq!(SendOptions::new().or(event.clone()), event);
        assert_eq!(
            SendOptions::new().volatile().ttl_ms(7).or(event),
            SendOptions::new().volatile().ttl_ms(7).coalesce("draft")
        );
        assert_eq!(
            SendOptions::new().coalesce("own").or(SendOptions::new().volatile().coalesce("draft")),
            SendOptions { volatile: true, coalesce: Some("own".into()), ttl_ms: None }
        );
    }
}
