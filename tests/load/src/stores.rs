//! What servers carry with a store: numbered messages, events that are stored, and the fan-out that is not.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Serialize;

use crate::{
    Options,
    client::Mode,
    crowd::Size,
    fanout,
    numbered::{self, Pace, Senders},
    plan::{Plan, TARGET_RATE},
    progress, raise_open_files,
    ramp::{self, Ramp},
    report::is_overload,
    sender::Effect,
    server::{Fleet, Recipe},
};

/// Where servers keep their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// A file of SQLite, which servers on one machine can share.
    Sqlite,
    /// PostgreSQL, for several servers with Redis beside it.
    Postgres,
}

/// Everything that was measured.
#[derive(Serialize)]
struct Report {
    store: Store,
    nodes: u8,
    cores: usize,
    numbered: Vec<numbered::Stage>,
    /// Connections that have said hello, and their messages: each is stored for every member of the session.
    reliable_ramp: Ramp,
    stored_fanout: Vec<fanout::Stage>,
    /// Connections that have not, and theirs.
    ramp: Ramp,
    /// Missing where several nodes have no Redis: what is not stored then stays within each.
    fanout: Option<fanout::Stage>,
}

/// Measures, prints and writes the report, and says what went wrong, a sentence each.
pub async fn run(options: &Options, store: Store, plan: &Plan) -> Result<Vec<String>> {
    raise_open_files(plan.clients as u64)?;
    std::fs::create_dir_all(&options.out).with_context(|| format!("creating {}", options.out.display()))?;
    let recipe = Recipe::new(&options.server, options.out.join("server.log"), flags(options, store)?)?;
    let fleet = Fleet::start(&recipe, options.nodes.into()).await?;
    let mut stages = 0..;
    let mut stage = || {
        stages.start += 1;
        stages.start
    };

    let senders = Senders::gather(&fleet, &recipe.secret, SENDERS).await?;
    let mut numbered = Vec::new();
    for effect in [Effect::None, Effect::ToAnother] {
        let most = senders.run(&fleet, stage(), effect, Pace::Saturated, plan.measured).await?;
        // A queue is as long as it is let to be; what a message waits for shows where there is none.
        let half = Pace::PerSecond((most.acknowledged_per_s / 2).max(1));
        numbered.push(most);
        numbered.push(senders.run(&fleet, stage(), effect, half, plan.measured).await?);
    }
    drop(senders);

    let size = Size { clients: plan.members, session_size: plan.session_size, mode: Mode::Reliable };
    let (reliable_ramp, crowd) = ramp::run("reliable ramp", &fleet, &recipe.secret, size, plan.hold).await?;
    let mut stored_fanout = Vec::new();
    for &rate in plan.stored_rates {
        let result = fanout::run(&fleet, &crowd, stage(), rate, plan.warm_up, plan.measured).await?;
        stored_fanout.push(result);
        if stored_fanout.last().is_some_and(is_overload) {
            break;
        }
    }
    drop(crowd);

    let size = Size { clients: plan.clients, session_size: plan.session_size, mode: Mode::AtMostOnce };
    let (ramp, crowd) = ramp::run("ramp", &fleet, &recipe.secret, size, plan.hold).await?;
    let fanout = if options.nodes == 1 || redis(options, store).is_some() {
        // What is not stored goes through Redis to other nodes, which share the machine with the first.
        let rate = if plan.judged && options.nodes == 1 { TARGET_RATE } else { plan.rates[0] };
        Some(fanout::run(&fleet, &crowd, stage(), rate, plan.warm_up, plan.measured_at(rate)).await?)
    } else {
        progress::say("fan-out: left out, because without Redis what is not stored stays within a node");
        None
    };
    drop(crowd);
    fleet.kill().await?;

    let cores = std::thread::available_parallelism()?.get();
    let nodes = options.nodes;
    let report = Report { store, nodes, cores, numbered, reliable_ramp, stored_fanout, ramp, fanout };
    report.print();
    report.write(&options.out)?;
    Ok(report.faults(plan.judged))
}

fn flags(options: &Options, store: Store) -> Result<Vec<String>> {
    let database = match store {
        Store::Sqlite => fresh_file(&options.out)?,
        Store::Postgres => options.postgres.clone().context("--store postgres needs --postgres")?,
    };
    let redis = redis(options, store).into_iter().flat_map(|url| ["--redis".to_owned(), url.clone()]);
    Ok(["--database".to_owned(), database].into_iter().chain(redis).collect())
}

/// The way between nodes.
fn redis(options: &Options, store: Store) -> Option<&String> {
    options.redis.as_ref().filter(|_| store == Store::Postgres)
}

fn fresh_file(directory: &Path) -> Result<String> {
    let path = directory.join("load.sqlite");
    for suffix in ["", "-wal", "-shm"] {
        _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    path.to_str().map(str::to_owned).context("the path of --out is no Unicode")
}

impl Report {
    fn print(&self) {
        println!("\n  {:?}, {} node(s), {} cores for everything", self.store, self.nodes, self.cores);
        println!(
            "  {:<28} {:>9} {:>10} {:>8} {:>8} {:>10} {:>10} {:>7} {:>7}",
            "messages", "wanted/s", "acked/s", "p50 ms", "p99 ms", "there p50", "there p99", "servers", "others"
        );
        for stage in &self.numbered {
            println!(
                "  {:<28} {:>9} {:>10} {:>8.1} {:>8.1} {:>10.1} {:>10.1} {:>7.2} {:>7.2}",
                stage.name(),
                stage.wanted_per_s.map_or_else(|| "most".to_owned(), |rate| rate.to_string()),
                stage.acknowledged_per_s,
                stage.p50_ms,
                stage.p99_ms,
                stage.delivery_p50_ms,
                stage.delivery_p99_ms,
                stage.server_cores,
                stage.other_cores
            );
        }
        println!(
            "\n  {:<28} {:>9} {:>11} {:>8} {:>8} {:>7} {:>7} {:>6}",
            "deliveries", "wanted/s", "delivered/s", "p50 ms", "p99 ms", "servers", "others", "lost"
        );
        let stored = self.stored_fanout.iter().map(|stage| ("stored for each member", stage));
        for (name, stage) in stored.chain(self.fanout.iter().map(|stage| ("not stored", stage))) {
            println!(
                "  {name:<28} {:>9} {:>11} {:>8.1} {:>8.1} {:>7.2} {:>7.2} {:>6}",
                stage.wanted_per_s,
                stage.delivered_per_s,
                stage.p50_ms,
                stage.p99_ms,
                stage.server_cores,
                stage.others_cores,
                stage.lost
            );
        }
        println!();
        for (name, ramp) in [("connections, reliable", &self.reliable_ramp), ("connections", &self.ramp)] {
            println!(
                "  {name:<28} {} held, {:.1} KB and {} µs of processor each",
                ramp.held,
                ramp.bytes_per_connection as f64 / 1e3,
                ramp.cpu_us_per_connection
            );
        }
    }

    fn write(&self, directory: &Path) -> Result<()> {
        let name = format!("{}-{}.json", if self.store == Store::Sqlite { "sqlite" } else { "postgres" }, self.nodes);
        let path = directory.join(name);
        std::fs::write(&path, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("writing {}", path.display()))?;
        progress::say(format!("wrote {}", path.display()));
        Ok(())
    }

    fn faults(&self, judged: bool) -> Vec<String> {
        let mut faults = Vec::new();
        for stage in self.numbered.iter().filter(|stage| !stage.is_clean()) {
            faults.push(format!("{}: not everything was acknowledged and delivered exactly once", stage.name()));
        }
        for (name, ramp) in [("connections, reliable", &self.reliable_ramp), ("connections", &self.ramp)] {
            if !ramp.is_clean() {
                faults.push(format!("{name}: not all were opened and held without an error"));
            }
        }
        let within = self.stored_fanout.iter().filter(|stage| !is_overload(stage));
        for stage in within.chain(&self.fanout).filter(|stage| !stage.is_clean()) {
            faults.push(format!("{} deliveries/s: not exactly once to everybody", stage.wanted_per_s));
        }
        if judged {
            let most = self.numbered.iter().map(|stage| stage.acknowledged_per_s).max().unwrap_or(0);
            if most < MIN_NUMBERED {
                faults.push(format!("{most} numbered messages/s instead of {MIN_NUMBERED}"));
            }
            if let (Store::Sqlite, 1, Some(fanout)) = (self.store, self.nodes, &self.fanout)
                && (fanout.delivered_per_s < MIN_DELIVERIES || fanout.p99_ms >= MAX_P99_MS)
            {
                let (rate, p99) = (fanout.delivered_per_s, fanout.p99_ms);
                faults.push(format!("{rate} deliveries/s with p99 {p99:.1} ms instead of 50 000 with less than 50"));
            }
        }
        faults
    }
}

/// As many as the measurements of the other servers have.
const SENDERS: usize = 20;

const MIN_NUMBERED: u64 = 5_000;
const MIN_DELIVERIES: u64 = 50_000;
const MAX_P99_MS: f64 = 50.0;
