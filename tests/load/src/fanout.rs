//! Messages in sessions: each goes to every other member, exactly once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::sleep_until;

use crate::{
    crowd::Crowd,
    message::Stamp,
    process::{self, Processors, Usage},
    progress,
    server::Fleet,
};

/// What one stage has shown. Latencies are from the moment when the message was due to its arrival at each member, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// Deliveries per second that were asked for.
    pub wanted_per_s: u32,
    /// Deliveries per second in the measured time.
    pub delivered_per_s: u64,
    /// How long was measured.
    pub measured_s: f64,
    /// Messages that were sent.
    pub sent: u64,
    /// Deliveries that they should have caused, and did not.
    pub lost: u64,
    /// Deliveries that happened twice.
    pub duplicates: u64,
    /// Deliveries to people outside of the session, and to the sender.
    pub strays: u64,
    /// Half of the deliveries took no longer.
    pub p50_ms: f64,
    /// 95 % took no longer.
    pub p95_ms: f64,
    /// 99 % took no longer.
    pub p99_ms: f64,
    /// None took longer.
    pub max_ms: f64,
    /// Processor time of the server, in cores.
    pub server_cores: f64,
    /// Processor time of this generator, in cores.
    pub generator_cores: f64,
    /// Processor time of everybody else on the machine, in cores.
    pub others_cores: f64,
    /// Resident memory of the server at the end of the measured time.
    pub resident_bytes: u64,
    /// The most memory of the server up to then.
    pub peak_bytes: u64,
    /// What should not have happened, and how often.
    pub troubles: BTreeMap<String, u64>,
    /// All latencies, in microseconds.
    #[serde(skip)]
    pub latencies: Option<Histogram<u64>>,
}

/// Runs one stage. Messages come at random, as people write them: the gaps between two are exponential, session and
/// sender are drawn.
pub async fn run(
    server: &Fleet,
    crowd: &Crowd,
    stage: u32,
    wanted_per_s: u32,
    warm_up: Duration,
    measured: Duration,
) -> Result<Stage> {
    progress::say(format!("fan-out: {wanted_per_s} deliveries/s wanted, for {} s", (warm_up + measured).as_secs()));
    let others = crowd.session_size() as u64 - 1;
    let tally = crowd.tally();
    let start = Instant::now();
    let (from, until) = (start + warm_up, start + warm_up + measured);
    tally.begin(from, until);
    let gap = others as f64 / f64::from(wanted_per_s);
    let sending = send(crowd, stage, start, until, gap);
    let (sent, during) = tokio::join!(sending, observe(server, crowd, from, until));
    let during = during?;
    let expected = sent * others;
    wait_for(crowd, expected).await;
    let (duplicates, strays) = tally.surplus();
    let latencies = tally.latencies();
    let ms = |quantile| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    let result = Stage {
        wanted_per_s,
        delivered_per_s: (during.deliveries as f64 / during.seconds) as u64,
        measured_s: during.seconds,
        sent,
        lost: expected.saturating_sub(tally.deliveries()),
        duplicates,
        strays,
        p50_ms: ms(0.5),
        p95_ms: ms(0.95),
        p99_ms: ms(0.99),
        max_ms: latencies.max() as f64 / 1000.0,
        server_cores: during.server_cores,
        generator_cores: during.generator_cores,
        others_cores: during.others_cores,
        resident_bytes: during.usage.resident,
        peak_bytes: during.usage.peak,
        troubles: tally.take_troubles(),
        latencies: Some(latencies),
    };
    progress::say(result.line());
    Ok(result)
}

impl Stage {
    /// Whether every message has reached every other member exactly once, and nothing else happened.
    pub fn is_clean(&self) -> bool {
        self.sent > 0 && self.lost + self.duplicates + self.strays == 0 && self.troubles.is_empty()
    }

    fn line(&self) -> String {
        format!(
            "fan-out: {} deliveries/s, p50 {:.1} p95 {:.1} p99 {:.1} max {:.1} ms; cores: server {:.2}, generator {:.2}, others {:.2}; \
             {} messages, {} lost, {} twice, {} astray; {}",
            self.delivered_per_s,
            self.p50_ms,
            self.p95_ms,
            self.p99_ms,
            self.max_ms,
            self.server_cores,
            self.generator_cores,
            self.others_cores,
            self.sent,
            self.lost,
            self.duplicates,
            self.strays,
            crate::report::troubles(&self.troubles)
        )
    }
}

/// Sends what is due and says how many that were. A late message carries the time at which it was due.
async fn send(crowd: &Crowd, stage: u32, start: Instant, until: Instant, gap: f64) -> u64 {
    let mut numbers = vec![0; crowd.sessions()];
    let mut due = start;
    let mut sent = 0;
    loop {
        due += Duration::from_secs_f64(gap * -(1.0 - fastrand::f64()).ln());
        if due >= until {
            return sent;
        }
        if due > Instant::now() {
            sleep_until(due.into()).await;
        }
        let session = fastrand::usize(..numbers.len());
        let seat = fastrand::usize(..crowd.session_size());
        crowd.send(Stamp { stage, session, seat, number: numbers[session], due_us: crowd.tally().micros(due) });
        numbers[session] += 1;
        sent += 1;
    }
}

struct During {
    seconds: f64,
    deliveries: u64,
    server_cores: f64,
    generator_cores: f64,
    others_cores: f64,
    usage: Usage,
}

async fn observe(server: &Fleet, crowd: &Crowd, from: Instant, until: Instant) -> Result<During> {
    let look = || {
        anyhow::Ok(Look {
            at: Instant::now(),
            deliveries: crowd.tally().deliveries(),
            server: server.usage()?,
            own: process::usage(std::process::id())?,
        })
    };
    sleep_until(from.into()).await;
    let mut processors = Processors::new()?;
    let before = look()?;
    sleep_until(until.into()).await;
    let after = look()?;
    let busy_cores = processors.busy();
    let seconds = (after.at - before.at).as_secs_f64();
    let cores = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() / seconds;
    let server_cores = cores(before.server.cpu, after.server.cpu);
    let generator_cores = cores(before.own.cpu, after.own.cpu);
    Ok(During {
        seconds,
        deliveries: after.deliveries - before.deliveries,
        server_cores,
        generator_cores,
        others_cores: (busy_cores - server_cores - generator_cores).max(0.0),
        usage: after.server,
    })
}

struct Look {
    at: Instant,
    deliveries: u64,
    server: Usage,
    own: Usage,
}

/// Waits for what is under way, and a moment longer for what should not be.
async fn wait_for(crowd: &Crowd, expected: u64) {
    let started = Instant::now();
    while crowd.tally().deliveries() < expected && started.elapsed() < STRAGGLERS {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(AFTERMATH).await;
}

const STRAGGLERS: Duration = Duration::from_secs(10);
const AFTERMATH: Duration = Duration::from_millis(300);
