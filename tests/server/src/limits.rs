//! How often a user may send.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use parking_lot::Mutex;

/// Token buckets for each user, shared by all connections of the user so that opening more of them gains nothing.
pub struct RateLimits {
    buckets: Option<Buckets>,
    accounts: Mutex<HashMap<Arc<str>, Arc<Account>>>,
}

/// What may be sent how often.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// 0 switches all limits off.
    pub messages_per_minute: u32,
    /// Of these, so many chat messages in matches.
    pub chat_per_minute: NonZeroU32,
    pub typing_per_second: NonZeroU32,
}

/// What a message is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Message,
    /// A chat message in a match, which is a message as well.
    Chat,
    /// Typing is no message: it comes with every few keys, and would starve what was typed.
    Typing,
}

impl Class {
    /// The class of a type of message.
    pub fn of(kind: &str) -> Self {
        match kind {
            "send_message" => Self::Chat,
            "typing" | "user_typing" => Self::Typing,
            _ => Self::Message,
        }
    }
}

struct Buckets {
    messages: DefaultKeyedRateLimiter<Arc<str>>,
    chat: DefaultKeyedRateLimiter<Arc<str>>,
    typing: DefaultKeyedRateLimiter<Arc<str>>,
    /// Apart from messages, so that a user who chats too much does not look dead to their own heartbeat.
    pings: DefaultKeyedRateLimiter<Arc<str>>,
}

/// What the connections of a user have in common while they wait for the limit.
#[derive(Default)]
pub struct Account {
    /// Where they stand in line. The lock is fair: who has waited longest is next.
    messages: tokio::sync::Mutex<()>,
    chat: tokio::sync::Mutex<()>,
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
    /// These limits, and as many pings as messages.
    pub fn new(rates: Rates) -> Self {
        let buckets = NonZeroU32::new(rates.messages_per_minute).map(|per_minute| Buckets {
            messages: RateLimiter::keyed(Quota::per_minute(per_minute)),
            chat: RateLimiter::keyed(Quota::per_minute(rates.chat_per_minute)),
            typing: RateLimiter::keyed(Quota::per_second(rates.typing_per_second)),
            pings: RateLimiter::keyed(Quota::per_minute(per_minute)),
        });
        Self { buckets, accounts: Mutex::default() }
    }

    /// Takes a token for a message.
    pub fn allow(&self, user: &Arc<str>, class: Class) -> bool {
        let Some(buckets) = &self.buckets else { return true };
        let has_token = |bucket: &DefaultKeyedRateLimiter<_>| bucket.check_key(user).is_ok();
        match class {
            Class::Message => has_token(&buckets.messages),
            Class::Chat => has_token(&buckets.chat) && has_token(&buckets.messages),
            Class::Typing => has_token(&buckets.typing),
        }
    }

    /// What the connections of a user share.
    pub fn account(&self, user: &Arc<str>) -> Arc<Account> {
        self.accounts.lock().entry(user.clone()).or_default().clone()
    }

    /// Takes a token for a message as soon as there is one. Those who wait for the same user take turns.
    pub async fn next_message(self: Arc<Self>, user: Arc<str>, class: Class) {
        let Some(buckets) = &self.buckets else { return };
        let account = self.account(&user);
        if class == Class::Typing {
            return next(&buckets.typing, &user).await;
        }
        if class == Class::Chat {
            let _first = account.chat.lock().await;
            next(&buckets.chat, &user).await;
        }
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
            for bucket in [&buckets.messages, &buckets.chat, &buckets.typing, &buckets.pings] {
                bucket.retain_recent();
            }
        }
        self.accounts.lock().retain(|_, account| Arc::strong_count(account) > 1);
    }
}

async fn next(bucket: &DefaultKeyedRateLimiter<Arc<str>>, user: &Arc<str>) {
    while let Err(refused) = bucket.check_key(user) {
        tokio::time::sleep(refused.wait_time_from(bucket.clock().now())).await;
    }
}

/// What may wait for one user before the server stops reading from those connections that have something waiting.
const MAX_HELD_BYTES: usize = 4 << 20;
