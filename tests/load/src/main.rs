//! Load on the reference server: real sockets over the loopback device, against a server in a process of its own.
//!
//! One run is a ramp of connections, a fan-out in sessions at rising rates, two restarts of the server, and a second
//! ramp beyond the target. Every message is accounted for: it reaches every other member of its session exactly once.
//!
//! With `--store` the run measures a store instead: numbered messages, events that are stored, and the fan-out, on as many nodes as are wanted.
//!
//! - A latency counts from the moment when the message was *due*, so that a generator which falls behind makes the figures
//!   worse and not better.
//! - A client is "in" when the server has answered it after it joined its session.
//! - Clients come back with the Everwire client's own backoff.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard streams"
)]

mod chart;
mod client;
mod crowd;
mod fanout;
mod message;
mod numbered;
mod plan;
mod process;
mod progress;
mod ramp;
mod report;
mod seen;
mod sender;
mod server;
mod stores;
mod storm;
mod tally;
mod token;

use std::{ops::RangeFrom, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use tokio::time::{Instant, sleep};

use client::Mode;
use crowd::{Crowd, Size};
use fanout::Stage;
use plan::Plan;
use process::Processors;
use report::Report;
use server::{Fleet, Recipe};
use stores::Store;
use storm::Restart;

/// Puts the reference server under load and reports what it does.
#[derive(clap::Parser)]
#[command(name = "everwire-load", version)]
struct Options {
    /// Executable of the server, best a release build.
    #[arg(long, value_name = "FILE")]
    server: PathBuf,

    /// Where the report, the histogram and the server's log go.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// A short run that judges correctness and no absolute figures.
    #[arg(long)]
    quick: bool,

    /// Measure this store instead.
    #[arg(long, value_enum)]
    store: Option<Store>,

    /// How many servers share the store.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8), requires = "store")]
    nodes: u8,

    /// Where an empty PostgreSQL database is.
    #[arg(long, value_name = "URL", required_if_eq("store", "postgres"))]
    postgres: Option<String>,

    /// Where Redis is, for several servers on PostgreSQL.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let plan = if options.quick { Plan::QUICK } else { Plan::FULL };
    let outcome = tokio::time::timeout(RUN_LIMIT, async {
        match options.store {
            Some(store) => stores::run(&options, store, &plan).await,
            None => run(&options, &plan).await,
        }
    })
    .await;
    match outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("stopped after {} s", RUN_LIMIT.as_secs()))) {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            eprintln!("\n  {}", faults.join("\n  "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("everwire-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options, plan: &Plan) -> Result<Vec<String>> {
    raise_open_files(plan.most_connections() as u64)?;
    std::fs::create_dir_all(&options.out).with_context(|| format!("creating {}", options.out.display()))?;
    let recipe = Recipe::new(&options.server, options.out.join("server.log"), Vec::new())?;
    let fleet = Fleet::start(&recipe, 1).await?;

    let size = Size { clients: plan.clients, session_size: plan.session_size, mode: Mode::AtMostOnce };
    let (ramp, crowd) = ramp::run("ramp", &fleet, &recipe.secret, size, plan.hold).await?;
    let mut stages = 0..;
    let fanout = climb(&fleet, &crowd, plan, &mut stages).await?;
    let mut server = fleet.into_only()?;
    // Who was cut off for falling behind has to come back before everybody can.
    crowd.all_ready("recovery", RECOVERY_LIMIT).await;
    let mut storms = Vec::new();
    for restart in [Restart::Kill, Restart::Drain] {
        let (storm, restarted) = storm::run(restart, &recipe, server, &crowd).await?;
        server = restarted;
        storms.push(storm);
    }
    let fleet = Fleet::from(server);
    let after_storms =
        fanout::run(&fleet, &crowd, next(&mut stages), plan.rates[0], plan.warm_up, plan.measured).await?;
    drop(crowd);
    fleet.kill().await?;

    let beyond = if plan.beyond > 0 { Some(beyond(&recipe, plan).await?) } else { None };
    let cores = std::thread::available_parallelism()?.get();
    let mut report = Report { cores, ramp, fanout, storms, after_storms, beyond, targets: Vec::new() };
    if plan.judged {
        report.judge();
    }
    report.print();
    report.write(&options.out)?;
    Ok(report.faults())
}

/// The fan-out at rising rates, until the server has more to do than it can.
async fn climb(server: &Fleet, crowd: &Crowd, plan: &Plan, stages: &mut RangeFrom<u32>) -> Result<Vec<Stage>> {
    let mut results = Vec::new();
    for &rate in plan.rates {
        for attempt in 1..=ATTEMPTS {
            let stage = fanout::run(server, crowd, next(stages), rate, plan.warm_up, plan.measured_at(rate)).await?;
            let (is_overload, is_disturbed) = (report::is_overload(&stage), report::is_disturbed(&stage));
            results.push(stage);
            if !is_overload {
                break;
            }
            if !is_disturbed || attempt == ATTEMPTS {
                return Ok(results);
            }
            progress::say("fan-out: others are using this machine; once more when it is quiet");
            quiet().await?;
        }
    }
    Ok(results)
}

/// Waits until others leave the machine alone for a moment, but not for ever.
async fn quiet() -> Result<()> {
    let deadline = Instant::now() + QUIET_LIMIT;
    let mut processors = Processors::new()?;
    loop {
        sleep(QUIET_MOMENT).await;
        if processors.busy() < QUIET_CORES || Instant::now() > deadline {
            return Ok(());
        }
    }
}

fn next(stages: &mut RangeFrom<u32>) -> u32 {
    stages.start += 1;
    stages.start
}

/// As many connections as two processes with the usual hard limit of open files can hold between them.
async fn beyond(recipe: &Recipe, plan: &Plan) -> Result<ramp::Ramp> {
    let fleet = Fleet::start(recipe, 1).await?;
    let size = Size { clients: plan.beyond, session_size: plan.session_size, mode: Mode::AtMostOnce };
    let (ramp, crowd) = ramp::run("ramp beyond the target", &fleet, &recipe.secret, size, plan.hold).await?;
    drop(crowd);
    fleet.kill().await?;
    Ok(ramp)
}

/// Each connection is an open file, here and in the server, which inherits the limit.
fn raise_open_files(connections: u64) -> Result<()> {
    let needed = connections + OTHER_FILES;
    let raised = rlimit::increase_nofile_limit(needed).context("reading the limit of open files")?;
    if raised < needed {
        bail!(
            "{needed} open files are needed and {raised} are allowed; raise the hard limit, for example with \
             `ulimit -Hn {needed}` as root, or take --quick"
        );
    }
    Ok(())
}

/// For the standard streams, the event queue, the database, the log.
const OTHER_FILES: u64 = 200;

/// How often a stage is measured that others disturb.
const ATTEMPTS: usize = 3;

const QUIET_CORES: f64 = 0.2;
const QUIET_MOMENT: Duration = Duration::from_secs(3);
const QUIET_LIMIT: Duration = Duration::from_secs(90);

const RECOVERY_LIMIT: Duration = Duration::from_secs(30);

/// Nothing here should come near to it.
const RUN_LIMIT: Duration = Duration::from_secs(15 * 60);
