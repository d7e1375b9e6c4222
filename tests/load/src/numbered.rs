//! Numbered messages: how many the servers process in a second, and how long an acknowledgement takes.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep_until, timeout},
};

use crate::{
    process::{Processors, Usage},
    progress,
    sender::{Effect, Order, Sender, Shared, Times, lock},
    server::Fleet,
};

/// How fast the messages of a stage come.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each client keeps its window full.
    Saturated,
    /// So many in a second, from all clients together, at random moments.
    PerSecond(u64),
}

/// What a stage has shown. Latencies are in milliseconds, from when a message was due.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// What the messages did.
    pub effect: Effect,
    /// Messages in a second that were asked for; none if it was as many as possible.
    pub wanted_per_s: Option<u64>,
    /// Acknowledged in a second.
    pub acknowledged_per_s: u64,
    /// Half of the acknowledgements took no longer.
    pub p50_ms: f64,
    /// 99 % took no longer.
    pub p99_ms: f64,
    /// Half of the deliveries took no longer.
    pub delivery_p50_ms: f64,
    /// 99 % took no longer.
    pub delivery_p99_ms: f64,
    /// Sent, and never acknowledged.
    pub unacknowledged: u64,
    /// Deliveries that did not happen, or twice.
    pub misdelivered: u64,
    /// How often a receiver was told that it is further behind than the history of its stream.
    pub gaps: u64,
    /// Processor time of the servers, in cores.
    pub server_cores: f64,
    /// Processor time of everybody else, this generator and databases among them.
    pub other_cores: f64,
    /// What should not have happened, and how often.
    pub troubles: BTreeMap<String, u64>,
}

/// Clients that have said hello, in sessions of two.
pub struct Senders {
    shared: Arc<Shared>,
    orders: Vec<mpsc::Sender<Order>>,
    _tasks: JoinSet<()>,
}

impl Senders {
    /// Connects them, in turns with the nodes, and waits until all are in their sessions.
    pub async fn gather(fleet: &Fleet, secret: &str, clients: usize) -> Result<Self> {
        let shared = Arc::new(Shared::new());
        let (mut orders, mut tasks) = (Vec::new(), JoinSet::new());
        let addrs = fleet.addrs();
        for id in 0..clients {
            let client = Sender::enter(addrs[id % addrs.len()], secret, id, shared.clone());
            let client = timeout(ENTRY_LIMIT, client).await.context("a client was not let in")??;
            let (sender, receiver) = mpsc::channel(1);
            orders.push(sender);
            tasks.spawn(client.run(receiver));
        }
        Ok(Self { shared, orders, _tasks: tasks })
    }

    /// Runs one stage.
    pub async fn run(&self, fleet: &Fleet, stage: u32, effect: Effect, pace: Pace, length: Duration) -> Result<Stage> {
        let start = Instant::now();
        let (from, until) = (start + WARM_UP, start + WARM_UP + length);
        let shared = &self.shared;
        *lock(&shared.times) = Times::new(from);
        for counter in [&shared.acknowledged, &shared.delivered, &shared.duplicates, &shared.gaps] {
            counter.store(0, Relaxed);
        }
        let mut feeders = JoinSet::new();
        for orders in self.orders.clone() {
            let gap = match pace {
                Pace::Saturated => None,
                Pace::PerSecond(rate) => Some(Duration::from_secs(1).mul_f64(self.orders.len() as f64 / rate as f64)),
            };
            feeders.spawn(feed(orders, stage, effect, gap, start, until));
        }
        let look = || anyhow::Ok((Instant::now(), self.shared.acknowledged.load(Relaxed), fleet.usage()?));
        sleep_until(from.into()).await;
        let mut processors = Processors::new()?;
        let before = look()?;
        sleep_until(until.into()).await;
        let after = look()?;
        let busy = processors.busy();
        let sent = feeders.join_all().await.iter().sum::<u64>();
        let expected = if effect == Effect::ToAnother { sent } else { 0 };
        self.wait_for(sent, expected).await;
        let stage = self.result(effect, pace, sent, expected, before, after, busy);
        progress::say(stage.line());
        Ok(stage)
    }

    #[expect(clippy::too_many_arguments, reason = "two looks at the same things, and what they are compared with")]
    fn result(
        &self,
        effect: Effect,
        pace: Pace,
        sent: u64,
        expected: u64,
        before: (Instant, u64, Usage),
        after: (Instant, u64, Usage),
        busy_cores: f64,
    ) -> Stage {
        let shared = &self.shared;
        let seconds = (after.0 - before.0).as_secs_f64();
        let times = lock(&shared.times);
        let ms = |times: &Histogram<u64>, quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
        let server_cores = after.2.cpu.saturating_sub(before.2.cpu).as_secs_f64() / seconds;
        let delivered = shared.delivered.load(Relaxed);
        Stage {
            effect,
            wanted_per_s: match pace {
                Pace::Saturated => None,
                Pace::PerSecond(rate) => Some(rate),
            },
            acknowledged_per_s: ((after.1 - before.1) as f64 / seconds) as u64,
            p50_ms: ms(&times.acknowledgements, 0.5),
            p99_ms: ms(&times.acknowledgements, 0.99),
            delivery_p50_ms: ms(&times.deliveries, 0.5),
            delivery_p99_ms: ms(&times.deliveries, 0.99),
            unacknowledged: sent.saturating_sub(shared.acknowledged.load(Relaxed)),
            misdelivered: expected.abs_diff(delivered) + shared.duplicates.load(Relaxed),
            gaps: shared.gaps.load(Relaxed),
            server_cores,
            other_cores: (busy_cores - server_cores).max(0.0),
            troubles: std::mem::take(&mut *lock(&shared.troubles)),
        }
    }

    /// Waits for what is under way, until nothing has come for a moment.
    async fn wait_for(&self, acknowledged: u64, delivered: u64) {
        let seen = || [&self.shared.acknowledged, &self.shared.delivered].map(|counter| counter.load(Relaxed));
        let (mut last, mut progress) = (seen(), Instant::now());
        while (last[0] < acknowledged || last[1] < delivered) && progress.elapsed() < SILENCE {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if seen() != last {
                (last, progress) = (seen(), Instant::now());
            }
        }
    }
}

impl Stage {
    /// Whether everything was acknowledged, and delivered exactly once or named as missing.
    pub fn is_clean(&self) -> bool {
        let is_complete = self.unacknowledged == 0 && (self.misdelivered == 0 || self.gaps > 0);
        self.acknowledged_per_s > 0 && is_complete && self.troubles.is_empty()
    }

    /// What the messages were.
    pub fn name(&self) -> &'static str {
        match self.effect {
            Effect::None => "numbered",
            Effect::ToAnother => "numbered, to another user",
        }
    }

    fn line(&self) -> String {
        format!(
            "{}: {} acknowledged/s{}, p50 {:.1} p99 {:.1} ms; delivery p50 {:.1} p99 {:.1} ms; cores: servers {:.2}, others {:.2}; \
             {} unacknowledged, {} misdelivered, {} gaps; {}",
            self.name(),
            self.acknowledged_per_s,
            self.wanted_per_s.map_or(" at most".to_owned(), |rate| format!(" of {rate}")),
            self.p50_ms,
            self.p99_ms,
            self.delivery_p50_ms,
            self.delivery_p99_ms,
            self.server_cores,
            self.other_cores,
            self.unacknowledged,
            self.misdelivered,
            self.gaps,
            crate::report::troubles(&self.troubles)
        )
    }
}

/// Gives orders until the time is over, and says how many. Without a gap the next is given when the last was taken.
async fn feed(
    orders: mpsc::Sender<Order>,
    stage: u32,
    effect: Effect,
    gap: Option<Duration>,
    start: Instant,
    until: Instant,
) -> u64 {
    let mut due = start;
    for number in 0.. {
        if let Some(gap) = gap {
            due += gap.mul_f64(-(1.0 - fastrand::f64()).ln());
            if due >= until {
                return u64::from(number);
            }
            sleep_until(due.into()).await;
        }
        let Ok(place) = orders.reserve().await else { return u64::from(number) };
        if gap.is_none() {
            due = Instant::now();
            if due >= until {
                return u64::from(number);
            }
        }
        place.send(Order { stage, number, effect, due });
    }
    0
}

const WARM_UP: Duration = Duration::from_secs(2);
const ENTRY_LIMIT: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(5);
