//! How often a user may send.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::sync::Lock as _;

/// Token buckets for each user, shared by all connections of the user so that opening more of them gains nothing.
pub struct RateLimits {
    buckets: Option<Buckets>,
    accounts: Mutex<HashMap<Arc<str>, Arc<Account>>>,
}

struct Buckets {
    messages: DefaultKeyedRateLimiter<Arc<str>>,
    /// Apart from messages, so that a user who chats too much does not look dead to their own heartbeat.
    pings: DefaultKeyedRateLimiter<Arc<str>>,
}

/// What the connections of a user have in common while they wait for the limit.
#[derive(Default)]
pub struct Account {
    /// Where they stand in line. The lock is fair: who has waited longest is next.
    messages: tokio::sync::Mutex<()>,
    pings: tokio::sync::Mutex<()>,
    held_bytes: AtomicUsize,
}

impl Account {
    /// Whether more may be read for a connection that has something waiting already.
    pub fn has_room(&self) -> bool {
        self.held_bytes.load(Relaxed) < MAX_HELD_BYTES
    }

    pub fn hold(&self, bytes: usize) {
        self.held_bytes.fetch_add(bytes, Relaxed);
    }

    pub fn release(&self, bytes: usize) {
        self.held_bytes.fetch_sub(bytes, Relaxed);
    }
}

impl RateLimits {
    /// Limits of `per_minute` messages and as many pings; 0 is none.
    pub fn new(per_minute: u32) -> Self {
        let buckets = NonZeroU32::new(per_minute).map(|per_minute| Buckets {
            messages: RateLimiter::keyed(Quota::per_minute(per_minute)),
            pings: RateLimiter::keyed(Quota::per_minute(per_minute)),
        });
        Self { buckets, accounts: Mutex::default() }
    }

    /// Takes a token for a message.
    pub fn allow_message(&self, user: &Arc<str>) -> bool {
        self.buckets.as_ref().is_none_or(|buckets| buckets.messages.check_key(user).is_ok())
    }

    /// What the connections of a user share.
    pub fn account(&self, user: &Arc<str>) -> Arc<Account> {
        self.accounts.locked().entry(user.clone()).or_default().clone()
    }

    /// Takes a token for a message as soon as there is one. Those who wait for the same user take turns.
    pub async fn next_message(self: Arc<Self>, user: Arc<str>) {
        let Some(buckets) = &self.buckets else { return };
        let account = self.account(&user);
        let _first = account.messages.lock().await;
        next(&buckets.messages, &user).await;
    }

    /// The same for a ping.
    pub async fn next_ping(self: Arc<Self>, user: Arc<str>) {
        let Some(buckets) = &self.buckets else { return };
        let account = self.account(&user);
        let _first = account.pings.lock().await;
        next(&buckets.pings, &user).await;
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
        self.accounts.locked().retain(|_, account| Arc::strong_count(account) > 1);
    }
}

async fn next(bucket: &DefaultKeyedRateLimiter<Arc<str>>, user: &Arc<str>) {
    while let Err(refused) = bucket.check_key(user) {
        tokio::time::sleep(refused.wait_time_from(bucket.clock().now())).await;
    }
}

/// What may wait for one user before the server stops reading from those connections that have something waiting.
const MAX_HELD_BYTES: usize = 4 << 20;
