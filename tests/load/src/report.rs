//! What a run has shown, against what it should.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::{chart, fanout::Stage, plan::TARGET_RATE, ramp::Ramp, storm::Storm};

/// Everything that was measured.
#[derive(Serialize)]
pub struct Report {
    /// Processor cores that server and generator share.
    pub cores: usize,
    /// The ramp.
    pub ramp: Ramp,
    /// The stages of the fan-out, at rising rates. One that was too slow while others used the machine is there again.
    pub fanout: Vec<Stage>,
    /// The restarts.
    pub storms: Vec<Storm>,
    /// The fan-out after the restarts, which shows that everybody is where they were.
    pub after_storms: Stage,
    /// The ramp beyond the target.
    pub beyond: Option<Ramp>,
    /// What should be reached; empty for a quick run.
    pub targets: Vec<Target>,
}

/// One line of the table.
#[derive(Serialize)]
pub struct Target {
    name: String,
    wanted: String,
    got: String,
    met: bool,
}

impl Report {
    /// Compares with what the server is to reach.
    pub fn judge(&mut self) {
        let memory = |bytes: u64| format!("{:.0} MB", bytes as f64 / 1e6);
        let mut targets = vec![Target::new(
            "connections held",
            "10 000",
            self.ramp.held.to_string(),
            self.ramp.held >= MIN_CONNECTIONS,
        )];
        if let Some(stage) = self.reported() {
            let (rate, p99) = (stage.delivered_per_s, stage.p99_ms);
            targets.extend([
                Target::new("delivered messages/s", "≥ 50 000", rate.to_string(), rate >= MIN_RATE),
                Target::new("p99 at that rate", "< 120 ms", format!("{p99:.1} ms"), p99 < MAX_P99_MS),
                Target::new(
                    "server memory, connections held",
                    "< 300 MB",
                    memory(self.ramp.resident_bytes),
                    self.ramp.resident_bytes < MAX_BYTES,
                ),
                Target::new(
                    "server memory, peak at that rate",
                    "< 300 MB",
                    memory(stage.peak_bytes),
                    stage.peak_bytes < MAX_BYTES,
                ),
            ]);
        }
        targets.extend(self.storms.iter().map(|storm| {
            let got = format!("{:.2} %", storm.back_in_10_s * 100.0);
            Target::new(
                format!("back in 10 s, {}", storm.restart.name()),
                "≥ 99.9 %",
                got,
                storm.back_in_10_s >= MIN_BACK,
            )
        }));
        self.targets = targets;
    }

    /// The stage whose figures count.
    fn reported(&self) -> Option<&Stage> {
        self.fanout.iter().rfind(|stage| stage.wanted_per_s == TARGET_RATE).or(self.fanout.first())
    }

    /// What went wrong, a sentence each. Stages in which the server has more to do than it can are not held against it.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, ramp) in [("ramp", Some(&self.ramp)), ("ramp beyond the target", self.beyond.as_ref())] {
            if ramp.is_some_and(|ramp| !ramp.is_clean()) {
                faults.push(format!("{name}: not all connections were opened and held without an error"));
            }
        }
        let within = self.fanout.iter().filter(|stage| stage.wanted_per_s <= TARGET_RATE || !is_overload(stage));
        for stage in within.chain([&self.after_storms]).filter(|stage| !stage.is_clean()) {
            faults.push(format!("fan-out at {} deliveries/s: not exactly once to everybody", stage.wanted_per_s));
        }
        for storm in self.storms.iter().filter(|storm| !storm.is_clean()) {
            faults.push(format!("{}: {} of {} came back", storm.restart.name(), storm.back, storm.clients));
        }
        let missed = self.targets.iter().filter(|target| !target.met);
        faults.extend(missed.map(|target| format!("{}: {} instead of {}", target.name, target.got, target.wanted)));
        faults
    }

    /// The tables.
    pub fn print(&self) {
        println!(
            "\n  {:>9} {:>12} {:>8} {:>8} {:>8} {:>8}   {:>6} {:>9} {:>6} {:>6}",
            "wanted", "delivered/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "server", "generator", "others", "lost"
        );
        for stage in self.fanout.iter().chain([&self.after_storms]) {
            println!(
                "  {:>9} {:>12} {:>8.1} {:>8.1} {:>8.1} {:>8.1}   {:>6.2} {:>9.2} {:>6.2} {:>6}",
                stage.wanted_per_s,
                stage.delivered_per_s,
                stage.p50_ms,
                stage.p95_ms,
                stage.p99_ms,
                stage.max_ms,
                stage.server_cores,
                stage.generator_cores,
                stage.others_cores,
                stage.lost
            );
        }
        println!("  server, generator and others: processor cores that they kept busy, of {}", self.cores);
        if !self.targets.is_empty() {
            println!();
        }
        for Target { name, wanted, got, met } in &self.targets {
            println!("  {name:<40} {wanted:>10} {got:>12}   {}", if *met { "met" } else { "MISSED" });
        }
    }

    /// Writes `report.json` and `latency.svg`.
    pub fn write(&self, directory: &Path) -> Result<()> {
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            println!("  wrote {}", path.display());
            anyhow::Ok(())
        };
        println!();
        write("report.json", &(serde_json::to_string_pretty(self)? + "\n"))?;
        if let Some((stage, latencies)) = self.reported().and_then(|stage| Some((stage, stage.latencies.as_ref()?))) {
            let title =
                format!("{} messages delivered per second to {} connections", stage.delivered_per_s, self.ramp.held);
            write("latency.svg", &chart::latency(&title, latencies))?;
        }
        Ok(())
    }
}

impl Target {
    fn new(name: impl Into<String>, wanted: &str, got: String, met: bool) -> Self {
        Self { name: name.into(), wanted: wanted.to_owned(), got, met }
    }
}

/// Whether a stage is past what can be served in time.
pub fn is_overload(stage: &Stage) -> bool {
    stage.p99_ms >= MAX_P99_MS
}

/// Whether others took so much of the machine that a slow stage says little about the server.
pub fn is_disturbed(stage: &Stage) -> bool {
    stage.others_cores > MAX_OTHERS_CORES
}

/// What should not have happened, in one line.
pub fn troubles(troubles: &BTreeMap<String, u64>) -> String {
    if troubles.is_empty() {
        return "no errors".to_owned();
    }
    let all = troubles.iter().map(|(name, count)| format!("{count} × {name}"));
    format!("ERRORS: {}", all.collect::<Vec<_>>().join(", "))
}

const MIN_CONNECTIONS: usize = 10_000;
const MIN_RATE: u64 = 50_000;
const MAX_P99_MS: f64 = 120.0;
const MAX_BYTES: u64 = 300_000_000;
const MAX_OTHERS_CORES: f64 = 0.2;
const MIN_BACK: f64 = 0.999;
