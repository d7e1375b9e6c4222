//! How often a user may send.

use std::{num::NonZeroU32, sync::Arc};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Token buckets for each user, shared by all connections of the user so that opening more of them gains nothing.
pub struct RateLimits {
    buckets: Option<Buckets>,
}

struct Buckets {
    messages: DefaultKeyedRateLimiter<Arc<str>>,
    /// Apart from messages, so that a user who chats too much does not look dead to their own heartbeat.
    pings: DefaultKeyedRateLimiter<Arc<str>>,
}

impl RateLimits {
    /// Limits of `per_minute` messages and as many pings; 0 is none.
    pub fn new(per_minute: u32) -> Self {
        let buckets = NonZeroU32::new(per_minute).map(|per_minute| Buckets {
            messages: RateLimiter::keyed(Quota::per_minute(per_minute)),
            pings: RateLimiter::keyed(Quota::per_minute(per_minute)),
        });
        Self { buckets }
    }

    /// Takes a token for a message.
    pub fn allow_message(&self, user: &Arc<str>) -> bool {
        self.buckets.as_ref().is_none_or(|buckets| buckets.messages.check_key(user).is_ok())
    }

    /// Takes a token for a ping, be it an event or a WebSocket control frame.
    pub fn allow_ping(&self, user: &Arc<str>) -> bool {
        self.buckets.as_ref().is_none_or(|buckets| buckets.pings.check_key(user).is_ok())
    }

    /// Forgets users whose buckets are full again, so that memory follows the users of the last minute.
    pub fn forget_idle(&self) {
        if let Some(buckets) = &self.buckets {
            buckets.messages.retain_recent();
            buckets.pings.retain_recent();
        }
    }
}
