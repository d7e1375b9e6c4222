//! The rules in force, and how often each has struck.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::{sync::watch, time::Instant};

use crate::rule::{Direction, Fault, Rule};

/// A shared list of rules. Clones are the same list.
#[derive(Clone)]
pub struct Rules {
    state: Arc<Mutex<State>>,
    /// Counts changes, so that whoever waits for one cannot miss it.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    rules: Vec<Active>,
    last_id: u64,
}

struct Active {
    id: u64,
    rule: Rule,
    starts: Instant,
    ends: Option<Instant>,
    hits: u64,
    bytes: u64,
}

/// A rule as `GET /rules` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct RuleStatus {
    /// What removes it.
    pub id: u64,
    /// The rule itself.
    #[serde(flatten)]
    pub rule: Rule,
    /// Whether it is in force now.
    pub active: bool,
    /// Chunks of bytes, or connections, that it has struck.
    pub hits: u64,
    /// Bytes that it has struck.
    pub bytes: u64,
}

/// What all rules together do to bytes that go one way, now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    pub delay: Duration,
    pub bytes_per_s: Option<u64>,
    pub swallow: bool,
    pub half_open: bool,
    /// The rule's id and how many bytes it lets through.
    pub stall: Option<(u64, u64)>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { state: Arc::default(), changed: watch::Sender::new(0) }
    }
}

impl Rules {
    /// Puts a rule in force and returns its id. Of more than a thousand rules the oldest is removed.
    pub fn add(&self, rule: Rule) -> u64 {
        let starts = Instant::now() + Duration::from_millis(rule.after_ms);
        let ends = rule.for_ms.map(|ms| starts + Duration::from_millis(ms));
        let mut state = self.state.lock();
        state.last_id += 1;
        let id = state.last_id;
        if state.rules.len() >= MAX_RULES {
            state.rules.remove(0);
        }
        state.rules.push(Active { id, rule, starts, ends, hits: 0, bytes: 0 });
        drop(state);
        self.announce();
        id
    }

    /// Removes a rule; `false` if there is none of that id.
    pub fn remove(&self, id: u64) -> bool {
        let mut state = self.state.lock();
        let before = state.rules.len();
        state.rules.retain(|active| active.id != id);
        let removed = state.rules.len() < before;
        drop(state);
        self.announce();
        removed
    }

    /// Removes all rules and says how many there were.
    pub fn clear(&self) -> usize {
        let removed = std::mem::take(&mut self.state.lock().rules).len();
        self.announce();
        removed
    }

    /// All rules, those that are over included, with their counts.
    pub fn status(&self) -> Vec<RuleStatus> {
        let now = Instant::now();
        let state = self.state.lock();
        let status = state.rules.iter().map(|active| RuleStatus {
            id: active.id,
            rule: active.rule,
            active: active.is_on(now),
            hits: active.hits,
            bytes: active.bytes,
        });
        status.collect()
    }

    /// How the bytes that go `way` are treated now. `chance` from 0 to 1 decides on jitter.
    pub(crate) fn shape(&self, way: Direction, chance: f64) -> Shape {
        let now = Instant::now();
        let mut shape = Shape::default();
        for active in self.state.lock().on(now, way) {
            match active.rule.fault {
                Fault::Latency { ms, jitter_ms } => {
                    shape.delay += Duration::from_secs_f64((ms as f64 + jitter_ms as f64 * chance) / 1000.0);
                }
                Fault::Bandwidth { bytes_per_s } => {
                    let slowest = shape.bytes_per_s.map_or(bytes_per_s, |other| other.min(bytes_per_s));
                    shape.bytes_per_s = Some(slowest.max(1));
                }
                Fault::Swallow => shape.swallow = true,
                Fault::HalfOpen => shape.half_open = true,
                Fault::Stall { after_bytes } => shape.stall = Some((active.id, after_bytes)),
                Fault::SlowHandshake { .. } | Fault::Refuse | Fault::Reset | Fault::Close => {}
            }
        }
        shape
    }

    /// Counts bytes that were struck by what `which` selects.
    pub(crate) fn count(&self, way: Direction, bytes: usize, which: impl Fn(&Fault) -> bool) {
        let now = Instant::now();
        for active in self.state.lock().on(now, way).filter(|active| which(&active.rule.fault)) {
            active.hits += 1;
            active.bytes += bytes as u64;
        }
    }

    /// Whether a new connection is refused; counted if so.
    pub(crate) fn refuses(&self) -> bool {
        let mut refuses = false;
        let now = Instant::now();
        for active in self.state.lock().on(now, Direction::Both).filter(|active| active.rule.fault == Fault::Refuse) {
            active.hits += 1;
            refuses = true;
        }
        refuses
    }

    /// How long a new connection waits; counted if at all.
    pub(crate) fn handshake_delay(&self) -> Duration {
        let now = Instant::now();
        let mut delay = Duration::ZERO;
        for active in self.state.lock().on(now, Direction::Both) {
            if let Fault::SlowHandshake { ms } = active.rule.fault {
                active.hits += 1;
                delay += Duration::from_millis(ms);
            }
        }
        delay
    }

    /// Takes an end of all open connections that is due; each happens once. `open` is how many it strikes.
    pub(crate) fn take_ending(&self, open: usize) -> Option<Fault> {
        let now = Instant::now();
        let mut state = self.state.lock();
        let mut due = state.rules.iter_mut().filter(|active| {
            matches!(active.rule.fault, Fault::Reset | Fault::Close) && active.ends.is_none_or(|ends| ends > now)
        });
        let active = due.find(|active| active.starts <= now)?;
        active.ends = Some(now);
        active.hits += open as u64;
        Some(active.rule.fault)
    }

    /// Something that notices changes from now on.
    pub(crate) fn watch(&self) -> Watch {
        Watch { rules: self.clone(), changes: self.changed.subscribe() }
    }

    fn announce(&self) {
        self.changed.send_modify(|changes| *changes += 1);
    }

    fn next_boundary(&self) -> Option<Instant> {
        let now = Instant::now();
        let state = self.state.lock();
        let boundaries = state.rules.iter().flat_map(|active| [Some(active.starts), active.ends]);
        boundaries.flatten().filter(|boundary| *boundary > now).min()
    }
}

/// Waits until rules are added or removed, or one starts or ends.
pub(crate) struct Watch {
    rules: Rules,
    changes: watch::Receiver<u64>,
}

impl Watch {
    /// Marks the present rules as seen. Call it before looking at them.
    pub fn seen(&mut self) {
        self.changes.mark_unchanged();
    }

    /// Waits for the next change.
    pub async fn change(&mut self) {
        let boundary = self.rules.next_boundary();
        let passes = async {
            match boundary {
                Some(boundary) => tokio::time::sleep_until(boundary).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.changes.changed() => {}
            () = passes => {}
        }
    }
}

impl State {
    fn on(&mut self, now: Instant, way: Direction) -> impl Iterator<Item = &mut Active> {
        self.rules
            .iter_mut()
            .filter(move |active| active.is_on(now) && (way == Direction::Both || active.rule.direction.covers(way)))
    }
}

impl Active {
    fn is_on(&self, now: Instant) -> bool {
        self.starts <= now && self.ends.is_none_or(|ends| now < ends)
    }
}

/// Bounds what a test that never clears its rules can make the proxy remember.
const MAX_RULES: usize = 1000;
