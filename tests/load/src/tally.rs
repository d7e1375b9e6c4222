//! What all clients together have seen.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use hdrhistogram::Histogram;

/// Counters that every client writes to.
pub struct Tally {
    epoch: Instant,
    shards: Vec<Mutex<Histogram<u64>>>,
    /// Only messages that were due in this window are timed.
    window: [AtomicU64; 2],
    delivered: AtomicU64,
    duplicates: AtomicU64,
    strays: AtomicU64,
    back: Mutex<Vec<Option<Instant>>>,
    ready: AtomicUsize,
    attempts_failed: AtomicU64,
    troubles: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    /// For so many clients.
    pub fn new(clients: usize) -> Self {
        Self {
            epoch: Instant::now(),
            shards: (0..SHARDS).map(|_| Mutex::new(histogram())).collect(),
            window: [AtomicU64::new(u64::MAX), AtomicU64::new(u64::MAX)],
            delivered: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            strays: AtomicU64::new(0),
            back: Mutex::new(vec![None; clients]),
            ready: AtomicUsize::new(0),
            attempts_failed: AtomicU64::new(0),
            troubles: Mutex::default(),
        }
    }

    /// Microseconds since the start: the clock that messages carry.
    pub fn micros(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch).as_micros() as u64
    }

    /// A message has reached one member of its session.
    pub fn delivered(&self, client: usize, due_us: u64) {
        self.delivered.fetch_add(1, Relaxed);
        let [from, until] = [self.window[0].load(Relaxed), self.window[1].load(Relaxed)];
        if (from..until).contains(&due_us) {
            let latency = self.micros(Instant::now()).saturating_sub(due_us);
            lock(&self.shards[client % SHARDS]).saturating_record(latency.max(1));
        }
    }

    /// A message has reached a member for the second time.
    pub fn duplicate(&self) {
        self.duplicates.fetch_add(1, Relaxed);
    }

    /// A message has reached somebody it was not meant for.
    pub fn stray(&self) {
        self.strays.fetch_add(1, Relaxed);
    }

    /// A client is connected and in its session.
    pub fn arrived(&self, client: usize) {
        let mut back = lock(&self.back);
        if back[client].is_none() {
            back[client] = Some(Instant::now());
            self.ready.fetch_add(1, Relaxed);
        }
    }

    /// A client's connection has ended.
    pub fn left(&self, client: usize) {
        let mut back = lock(&self.back);
        if back[client].take().is_some() {
            self.ready.fetch_sub(1, Relaxed);
        }
    }

    /// No connection is left.
    pub fn forget_arrivals(&self) {
        let mut back = lock(&self.back);
        let left = back.iter_mut().filter_map(Option::take).count();
        self.ready.fetch_sub(left, Relaxed);
    }

    /// Clients that are connected and in their session.
    pub fn ready(&self) -> usize {
        self.ready.load(Relaxed)
    }

    /// When each client that is ready became so.
    pub fn arrivals(&self) -> Vec<Instant> {
        lock(&self.back).iter().flatten().copied().collect()
    }

    /// An attempt to connect came to nothing.
    pub fn attempt_failed(&self) {
        self.attempts_failed.fetch_add(1, Relaxed);
    }

    /// Failed attempts since the last call.
    pub fn take_attempts_failed(&self) -> u64 {
        self.attempts_failed.swap(0, Relaxed)
    }

    /// Something that should not happen, by name.
    pub fn trouble(&self, name: impl Into<String>) {
        *lock(&self.troubles).entry(name.into()).or_default() += 1;
    }

    /// What should not have happened since the last call.
    pub fn take_troubles(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut lock(&self.troubles))
    }

    /// Deliveries up to now, without copies.
    pub fn deliveries(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// Starts the counts of a stage.
    pub fn begin(&self, from: Instant, until: Instant) {
        for shard in &self.shards {
            lock(shard).reset();
        }
        for counter in [&self.delivered, &self.duplicates, &self.strays] {
            counter.store(0, Relaxed);
        }
        self.window[0].store(self.micros(from), Relaxed);
        self.window[1].store(self.micros(until), Relaxed);
    }

    /// The copies and the strays of a stage.
    pub fn surplus(&self) -> (u64, u64) {
        (self.duplicates.load(Relaxed), self.strays.load(Relaxed))
    }

    /// The latencies of a stage, in microseconds.
    pub fn latencies(&self) -> Histogram<u64> {
        let mut all = histogram();
        for shard in &self.shards {
            // Shards are made alike, so that adding one cannot fail.
            _ = all.add(&*lock(shard));
        }
        all
    }
}

/// Three significant digits, up to a minute.
pub fn histogram() -> Histogram<u64> {
    match Histogram::new_with_bounds(1, 60_000_000, 3) {
        Ok(histogram) => histogram,
        Err(_) => unreachable!("the bounds are constants"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const SHARDS: usize = 16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_messages_of_the_window_are_timed_but_all_are_counted() {
        let tally = Tally::new(1);
        let from = tally.epoch + Duration::from_millis(10);
        tally.begin(from, from + Duration::from_millis(10));
        for due in [5_000, 10_000, 19_999, 20_000] {
            tally.delivered(0, due);
        }
        assert_eq!((tally.deliveries(), tally.latencies().len()), (4, 2));
    }

    #[test]
    fn a_client_is_ready_once_however_often_it_says_so() {
        let tally = Tally::new(2);
        tally.arrived(1);
        tally.arrived(1);
        assert_eq!((tally.ready(), tally.arrivals().len()), (1, 1));
        tally.left(1);
        tally.left(0);
        assert_eq!(tally.ready(), 0);
    }
}
