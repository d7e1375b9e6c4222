//! What a server takes, and how often a user may send.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use parking_lot::Mutex;

use crate::reliable::{Bounds, Kept};

/// The limits of a server. Each protects it from one thing that a client can do.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest message in bytes, without its numbers. A larger one with a number is refused (`too_large`), one without closes the
    /// connection with 1009. Clients are told in `welcome`. 10 240.
    pub max_message_bytes: usize,
    /// How often a user may send.
    pub rates: Rates,
    /// A connection that sends nothing for so long is closed with 1000; a client's heartbeat keeps it open. 5 minutes.
    pub idle_timeout: Duration,
    /// A client that takes nothing for so long is cut off. 20 s.
    pub send_timeout: Duration,
    /// Connections in all; more are refused with HTTP 503. 20 000.
    pub connections: usize,
    /// Connections of one user; more are closed with 1013. 50.
    pub connections_per_user: usize,
    /// Frames that may wait for one connection. A client further behind is closed with 1013. 256.
    pub queue_frames: usize,
    /// Bytes that may wait for one connection, likewise. 1 MiB.
    pub queue_bytes: usize,
    /// Stored events of each stream; the oldest are forgotten. 1 000.
    pub history_events: u64,
    /// Bytes of all stored events of a user; the oldest of their largest stream are forgotten. 8 MiB.
    pub history_bytes: u64,
    /// How long an event is stored. A day.
    pub history_age: Duration,
    /// How long a client id is remembered after its last connection. The protocol asks for 7 days, which is the default.
    pub remember: Duration,
    /// The pages that may connect, by their `Origin`; any if there are none, which the token makes safe.
    pub allow_origins: Vec<String>,
    /// Refuse bad tokens, and users with too many connections, with an HTTP status. A browser can read a close code, and not that.
    pub reject_with_http: bool,
    /// Write each processed message down, in `everwire_processed`. For tests: it grows for ever.
    pub note_processed: bool,
    /// Begin this epoch, which has to be higher than those before: after a backup of the database was restored, for example.
    /// From 1 to 2^53 − 1; milliseconds since 1970 are usual. With another [`Everwire::start`](crate::Everwire::start) fails.
    pub epoch: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 10_240,
            rates: Rates::default(),
            idle_timeout: Duration::from_secs(300),
            send_timeout: Duration::from_secs(20),
            connections: 20_000,
            connections_per_user: 50,
            queue_frames: 256,
            queue_bytes: 1 << 20,
            history_events: 1000,
            history_bytes: 8 << 20,
            history_age: Duration::from_secs(86_400),
            remember: Duration::from_secs(7 * 86_400),
            allow_origins: Vec::new(),
            reject_with_http: false,
            note_processed: false,
            epoch: None,
        }
    }
}

impl Limits {
    /// What the reliable mode keeps.
    pub(crate) fn bounds(&self) -> Bounds {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Bounds {
            kept: Kept { events: self.history_events, bytes: self.history_bytes },
            event_age_ms: ms(self.history_age),
            client_age_ms: ms(self.remember),
            epoch: self.epoch,
            max_message_bytes: self.max_message_bytes as u64,
        }
    }
}

/// Token buckets for each user, shared by all connections of the user so that opening more of them gains nothing.
pub struct RateLimits {
    buckets: Option<Buckets>,
    accounts: Mutex<HashMap<Arc<str>, Arc<Account>>>,
}

/// What may be sent how often.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Messages of a user in a minute, over all connections, repetitions included; 0 switches all limits off. Those with a number wait
    /// over it, others are answered with `rate_limited`. As many pings are allowed. 100.
    pub messages_per_minute: u32,
    /// Of these, so many of [`Class::Chat`]. 30.
    pub chat_per_minute: NonZeroU32,
    /// Messages of [`Class::Typing`] in a second. 10.
    pub typing_per_second: NonZeroU32,
}

impl Default for Rates {
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { messages_per_minute: 100, chat_per_minute: number(30), typing_per_second: number(10) }
    }
}

/// What a message is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A message like any other.
    Message,
    /// A message of a kind that has a lower limit of its own, and counts as a message as well.
    Chat,
    /// What is true for a moment, such as typing, is no message: it comes with every few keys, and would starve what was typed.
    Typing,
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
pub(crate) struct Account {
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
    pub(crate) fn new(rates: Rates) -> Self {
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
    pub(crate) fn account(&self, user: &Arc<str>) -> Arc<Account> {
        self.accounts.lock().entry(user.clone()).or_default().clone()
    }

    /// Takes a token for a message as soon as there is one. Those who wait for the same user take turns.
    pub(crate) async fn next_message(self: Arc<Self>, user: Arc<str>, class: Class) {
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
    pub(crate) async fn next_ping(self: Arc<Self>, user: Arc<str>) {
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
    pub(crate) fn forget_idle(&self) {
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
