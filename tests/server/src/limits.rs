//! How often a user may send.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::sync::Lock as _;

/// Token buckets for each user, shared by all connections of the user so that opening more of them gains nothing.
pub struct RateLimits {
    buckets: Option<Buckets>,
    /// Where connections of a user that wait for a token stand in line.
    lines: Mutex<HashMap<Arc<str>, Line>>,
}

struct Buckets {
    messages: DefaultKeyedRateLimiter<Arc<str>>,
    /// Apart from messages, so that a user who chats too much does not look dead to their own heartbeat.
    pings: DefaultKeyedRateLimiter<Arc<str>>,
}

/// The lock is fair: who has waited longest is next.
type Line = Arc<tokio::sync::Mutex<()>>;

impl RateLimits {
    /// Limits of `per_minute` messages and as many pings; 0 is none.
    pub fn new(per_minute: u32) -> Self {
        let buckets = NonZeroU32::new(per_minute).map(|per_minute| Buckets {
            messages: RateLimiter::keyed(Quota::per_minute(per_minute)),
            pings: RateLimiter::keyed(Quota::per_minute(per_minute)),
        });
        Self { buckets, lines: Mutex::default() }
    }

    /// Takes a token for a message.
    pub fn allow_message(&self, user: &Arc<str>) -> bool {
        self.buckets.as_ref().is_none_or(|buckets| buckets.messages.check_key(user).is_ok())
    }

    /// Takes a token for a message as soon as there is one. Those who wait for the same user take turns.
    pub async fn next_message(self: Arc<Self>, user: Arc<str>) {
        let Some(buckets) = &self.buckets else { return };
        let line = self.lines.locked().entry(user.clone()).or_default().clone();
        let _first = line.lock().await;
        loop {
            let wait = match buckets.messages.check_key(&user) {
                Ok(()) => return,
                Err(refused) => refused.wait_time_from(buckets.messages.clock().now()),
            };
            tokio::time::sleep(wait).await;
        }
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
        self.lines.locked().retain(|_, line| Arc::strong_count(line) > 1);
    }
}
